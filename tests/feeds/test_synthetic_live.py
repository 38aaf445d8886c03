"""The live made-up market: everybody sees the same, only what has happened, and no more than
needed is kept."""

import time
from decimal import Decimal
from itertools import pairwise

import pytest

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from app.domain.tape import Tape
from app.feeds.synthetic.profile import SYMBOLS
from app.feeds.synthetic_live import KEPT_MOST, LEAD, LiveSynthetic, level, open_feed

NOW: Instant = 1_795_240_800_000_000 + 17 * MINUTE + 123_456


def feed(seed: int = 1) -> LiveSynthetic:
    made = open_feed(ExchangeCalendars(), {"seed": seed})
    assert isinstance(made, LiveSynthetic)
    return made


async def watched(symbol: str = "ACME", now: Instant = NOW, seed: int = 1) -> LiveSynthetic:
    made = feed(seed)
    assert await made.watch(symbol, now) is not None
    return made


def seen(tape: Tape, start: Instant, end: Instant) -> tuple[object, ...]:
    prints = tape.prints(start, end)
    moments = range(start, end, 7 * SECOND)
    quotes = tuple(tape.quote(at) for at in moments)
    return prints.at.tolist(), prints.price.tolist(), prints.size.tolist(), quotes


async def test_whoever_looks_whenever_sees_the_same() -> None:
    early, late = await watched(now=NOW), await watched(now=NOW + 50 * MINUTE)
    for minutes in range(51):
        await early.advance(NOW + minutes * MINUTE)
    end = NOW + 50 * MINUTE
    await late.advance(end)
    same = seen(early.tape("ACME"), end - HOUR, end)
    assert seen(late.tape("ACME"), end - HOUR, end) == same
    assert len(same[0]) > 1_000  # type: ignore[arg-type]
    other = await watched(now=end, seed=2)
    assert seen(other.tape("ACME"), end - HOUR, end) != same


async def test_only_what_has_happened_is_known() -> None:
    market = await watched()
    for step in range(50):
        now = NOW + step * 333_333
        await market.advance(now)
        tape = market.tape("ACME")
        assert now < tape.until <= now + SECOND + LEAD
        assert max(tape.quote_at[-1], tape.trade_at[-1]) <= tape.until


async def test_a_tape_only_grows() -> None:
    market = await watched()
    before = market.tape("ACME")
    await market.advance(NOW + 90 * MINUTE)
    after = market.tape("ACME")
    assert seen(after, NOW - 10 * MINUTE, NOW) == seen(before, NOW - 10 * MINUTE, NOW)
    assert after.traded(NOW - MINUTE, NOW) == before.traded(NOW - MINUTE, NOW)


async def test_a_symbol_is_updated_when_something_happened_and_told_once() -> None:
    market = await watched()
    told = 0
    for step in range(1, 201):
        await market.advance(NOW + step * 50_000)
        names = market.updated()
        assert market.updated() == ()
        tape = market.tape("ACME")
        last, now = NOW + (step - 1) * 50_000, NOW + step * 50_000
        event = tape.next_event(last)
        assert (names == ("ACME",)) == (event is not None and event <= now)
        told += len(names)
    assert 10 <= told <= 60


async def test_memory_is_bounded_and_what_orders_need_is_kept() -> None:
    market = await watched()
    await market.keep("ACME", NOW - 5 * HOUR)
    assert market.tape("ACME").since <= NOW - 5 * HOUR
    needed = market.tape("ACME").traded(NOW - 5 * HOUR, NOW)
    for hours in range(1, 30):
        await market.advance(NOW + hours * HOUR)
    tape = market.tape("ACME")
    assert tape.since <= NOW - 5 * HOUR
    assert tape.traded(NOW - 5 * HOUR, NOW) == needed
    await market.watch("ACME", NOW + 30 * HOUR)
    await market.advance(NOW + 30 * HOUR)
    assert market.tape("ACME").since >= NOW + 28 * HOUR
    await market.keep("ACME", NOW - 100 * DAY)
    assert market.tape("ACME").since >= NOW + 30 * HOUR - KEPT_MOST - HOUR
    # Asleep for a week: it goes on where time is now.
    later = NOW + 7 * DAY
    await market.advance(later)
    assert market.tape("ACME").quote(later) is not None


async def test_it_trades_round_the_clock_at_prices_that_hang_together() -> None:
    market = feed()
    for symbol, profile in SYMBOLS.items():
        found = await market.watch(symbol, NOW)
        assert found is not None
        assert found.sessions[0].opens_at <= NOW < NOW + 30 * DAY < found.sessions[0].closes_at
        assert found.instrument.calendar == "24/7"
        assert found.daily_volume == profile.daily_volume
        assert found.volatility == profile.volatility
        tape = market.tape(symbol)
        hour = tape.traded(NOW - HOUR, NOW).volume
        assert Decimal("0.3") < hour * 24 / profile.daily_volume < 3
        quote = tape.quote(NOW)
        assert quote is not None
        assert quote.bid < quote.ask <= quote.bid + 3 * profile.tick
    assert await market.watch("NOBODY", NOW) is None


async def test_an_hour_goes_on_where_the_last_one_ended() -> None:
    market = await watched(now=NOW + 2 * HOUR)
    await market.keep("ACME", NOW - HOUR)
    tape = market.tape("ACME")
    for boundary in range(NOW // HOUR * HOUR, NOW + 2 * HOUR, HOUR):
        before, after = tape.quote(boundary - 1), tape.quote(boundary + SECOND)
        assert before is not None
        assert after is not None
        assert abs(after.mid - before.mid) < Decimal("0.10")


def test_prices_stay_around_their_profile_for_ever() -> None:
    profile = SYMBOLS["ACME"]
    levels = [level(profile, "1:ACME", hour * HOUR) for hour in range(300_000, 500_000, 37)]
    assert 96 < min(levels) < 99.5 < 100.5 < max(levels) < 104
    moves = [abs(b / a - 1) for a, b in pairwise(levels)]
    assert 0.002 < sum(moves) / len(moves) < 0.02


async def test_ten_symbols_cost_next_to_nothing() -> None:
    market = LiveSynthetic(1, {f"S{n}": SYMBOLS["ACME"] for n in range(10)})
    for n in range(10):
        await market.watch(f"S{n}", NOW)
    begun, turns = time.process_time(), 20 * 60
    for turn in range(turns):
        await market.advance(NOW + turn * 50_000)
        market.updated()
    used = (time.process_time() - begun) / 60
    assert used < 0.01, f"{used:.2%} of a core"


@pytest.mark.parametrize("at", [0, NOW - 20 * 365 * DAY])
async def test_the_past_is_as_good_a_time_as_any(at: Instant) -> None:
    market = await watched(now=at + DAY)
    assert market.tape("ACME").quote(at + DAY) is not None
