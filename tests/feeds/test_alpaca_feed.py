"""The Alpaca feed against a simulated data server, over real sockets: what it tells is the market,
whatever the line and the server do."""

import asyncio
import random
from decimal import Decimal

import pytest

from app.domain.instant import SECOND, Instant
from app.domain.session import session_at
from app.feeds.alpaca.feed import RECENT
from app.feeds.alpaca.reading import moment
from tests.feeds.alpaca_data.checks import assert_in_order, told_everything, until
from tests.feeds.alpaca_data.market import now
from tests.feeds.alpaca_data.running import Running

pytestmark = pytest.mark.timeout(60)


async def test_a_watched_symbol_has_its_past_and_goes_on(server: Running) -> None:
    async with server.feed() as driven:
        begun = now()
        watched = await driven.feed.watch("ACME", begun)
        assert watched is not None
        assert (watched.instrument.symbol, watched.instrument.tick) == ("ACME", Decimal("0.01"))
        assert session_at(watched.sessions, begun) is not None
        assert watched.volume_coverage == 1
        tape = driven.feed.tape("ACME")
        assert begun - RECENT <= tape.since < begun - RECENT + SECOND
        assert tape.traded(begun - RECENT, begun).volume > 0
        quote = tape.quote(now())
        assert quote is not None
        assert quote.bid < quote.ask
        await until(lambda: "ACME" in driven.updated)
        await told_everything(server, driven, tape.since)


async def test_the_past_is_never_rewritten(server: Running) -> None:
    """What was told up to a moment stays: late trades stand after it."""
    server.faults.late = 2
    async with server.feed() as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        told: list[tuple[Instant, Decimal]] = []
        for _ in range(40):
            await asyncio.sleep(0.05)
            tape = driven.feed.tape("ACME")
            told.append((tape.until, tape.traded(start, tape.until).volume))
        last = driven.feed.tape("ACME")
        assert [last.traded(start, until).volume for until, _ in told] == [v for _, v in told]
        assert_in_order(last)
        server.faults.late = 0
        await told_everything(server, driven, start)


async def test_a_cut_line_is_drawn_anew_and_its_gap_is_filled(server: Running) -> None:
    async with server.feed(poll_ms=60_000, silent_ms=60_000) as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        await asyncio.sleep(0.5)
        server.faults.closed = True
        server.stream.cut()
        await asyncio.sleep(0.5)
        first, last = now(), now() + 2 * SECOND
        await asyncio.sleep(2.5)
        server.faults.closed = False
        await until(lambda: server.stream.seen == 2)
        await told_everything(server, driven, start)
        tape = driven.feed.tape("ACME")
        assert_in_order(tape)
        # What was missed stands where it happened.
        missed = [moment(row["t"]) for row in server.market.trades("ACME", first, last)]
        assert tape.prints(first, last).at.tolist() == missed


async def test_what_the_line_does_not_tell_is_asked_for(server: Running) -> None:
    """No connection at all: another process has it, or the plan carries no more symbols."""
    server.faults.taken = True
    async with server.feed() as driven:
        start = now()
        assert await driven.feed.watch("ACME", start) is not None
        await asyncio.sleep(3)
        await told_everything(server, driven, start)
        assert server.stream.seen == 0
        quote = driven.feed.tape("ACME").quote(now())
        assert quote is not None
        assert quote.at > now() - 2 * SECOND


async def test_symbols_beyond_the_plan_are_asked_for(server: Running) -> None:
    server.faults.channels = 1
    async with server.feed() as driven:
        start = now()
        await driven.feed.watch("GLOBEX", start)
        await driven.feed.watch("ACME", start)
        await asyncio.sleep(1)
        await told_everything(server, driven, start)
        assert server.stream.seen == 1


async def test_a_mute_line_is_found_out(server: Running) -> None:
    """It stays open and answers pings, and says nothing: history knows better."""
    async with server.feed() as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        server.faults.mute = True
        await asyncio.sleep(0.1)
        silent = driven.feed.tape("ACME").quote_at[-1]
        await until(lambda: server.stream.seen == 2, seconds=15)
        await until(lambda: driven.feed.tape("ACME").quote_at[-1] > silent)
        server.faults.mute = False
        await told_everything(server, driven, start)


async def test_a_quiet_market_is_no_mute_line(server: Running) -> None:
    async with server.feed(silent_ms=200) as driven:
        await driven.feed.watch("ACME", now())
        await asyncio.sleep(2)
        assert server.stream.seen == 1


async def test_a_server_that_does_not_greet_is_left(server: Running) -> None:
    server.faults.silent_greeting = True
    async with server.feed(handshake_ms=200) as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        await asyncio.sleep(0.5)
        server.faults.silent_greeting = False
        await until(lambda: server.stream.seen == 1)
        await told_everything(server, driven, start)


async def test_a_slow_server_is_waited_for(server: Running) -> None:
    server.faults.slow = 0.4
    async with server.feed() as driven:
        start = now()
        assert await driven.feed.watch("ACME", start) is not None
        await told_everything(server, driven, start)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [1, 2])
async def test_through_a_bad_quarter_of_a_minute_nothing_is_lost_nor_told_twice(
    server: Running, seed: int
) -> None:
    chance = random.Random(seed)
    async with server.feed() as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        for _ in range(15):
            faults, muted = server.faults, server.faults.mute
            faults.closed, faults.mute = chance.random() < 0.2, chance.random() < 0.2
            faults.taken, faults.late = chance.random() < 0.2, chance.choice([0, 0, 3])
            faults.limited, faults.failing = chance.choice([0, 0, 1]), chance.choice([0, 0, 1])
            # A line that was mute and speaks again has lost what nobody can know of.
            if muted or chance.random() < 0.5:
                server.stream.cut()
            before = driven.feed.tape("ACME")
            await asyncio.sleep(1)
            tape = driven.feed.tape("ACME")
            assert tape.until >= before.until
            assert tape.traded(start, before.until) == before.traded(start, before.until)
        for name in ("closed", "mute", "taken", "late", "limited", "failing"):
            setattr(server.faults, name, 0)
        server.stream.cut()
        await told_everything(server, driven, start)
        assert_in_order(driven.feed.tape("ACME"))
