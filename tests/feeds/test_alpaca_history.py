"""What the Alpaca feed knows of the past, and how it asks: history, days, symbols, errors."""

import asyncio
from decimal import Decimal
from math import log, sqrt

import pytest

from app.domain.instant import DAY, MINUTE, SECOND, to_datetime
from app.domain.market import Traded
from app.ports import FeedError
from tests.feeds.alpaca_data.checks import assert_in_order, told_everything, until, volume
from tests.feeds.alpaca_data.market import Market, now
from tests.feeds.alpaca_data.rest import KEY, SECRET
from tests.feeds.alpaca_data.running import Running, data_server

pytestmark = pytest.mark.timeout(60)


async def test_canceled_and_corrected_trades_count_as_they_should(server: Running) -> None:
    async with server.feed() as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        rows = list(server.market.trades("ACME", start - MINUTE, start - SECOND))[-2:]
        await told_everything(server, driven, start - MINUTE)
        tape = driven.feed.tape("ACME")
        before = tape.traded(start - MINUTE, start)
        one, other = rows
        await server.stream.tell({"T": "x", "S": "ACME", "i": one["i"], "x": one["x"], "a": "C"})
        right = {"ci": 77, "cp": other["p"] + 1, "cs": other["s"] + 5, "cc": ["@"]}
        names = {"S": "ACME", "x": other["x"], "oi": other["i"], "t": other["t"]}
        await server.stream.tell({"T": "c", **names, **right})
        expected = before.volume - one["s"] + 5

        def traded() -> Traded:
            return driven.feed.tape("ACME").traded(start - MINUTE, start)

        await until(lambda: traded().volume == expected)
        price, size = Decimal(str(other["p"])), other["s"]
        lost = Decimal(str(one["p"])) * one["s"]
        assert traded().notional == before.notional - lost - price * size + (price + 1) * (size + 5)
        # Those who hold the tape from before still see what they saw.
        assert tape.traded(start - MINUTE, start) == before


async def test_history_leaves_out_what_is_void(server: Running) -> None:
    server.faults.taken = True
    start = now() - MINUTE
    half = start + MINUTE // 2
    [first, *_] = server.market.trades("ACME", start, now())
    async with server.feed() as driven:
        await driven.feed.watch("ACME", start)
        whole = driven.feed.tape("ACME").traded(start, half).volume
        server.market.void.add(first["i"])
    async with server.feed() as driven:
        await driven.feed.watch("ACME", start)
        assert (
            driven.feed.tape("ACME").traded(start, start + MINUTE // 2).volume == whole - first["s"]
        )


async def test_a_tape_reaches_back_to_where_it_is_needed(server: Running) -> None:
    async with server.feed() as driven:
        start = now() - 15 * MINUTE - 12_345_678
        await driven.feed.watch("ACME", now())
        recent = driven.feed.tape("ACME").since
        await driven.feed.keep("ACME", start)
        tape = driven.feed.tape("ACME")
        assert tape.since == start
        assert_in_order(tape)
        assert tape.traded(start, recent).volume == volume(server, start - 1, recent)
        await told_everything(server, driven, recent)
        assert any("timeframe=1Min" in asked for asked in server.asked)
        notional = sum(
            Decimal(str(row["p"])) * row["s"]
            for row in server.market.trades("ACME", start - 1, recent)
        )
        told = tape.traded(start, recent).vwap
        assert told is not None
        assert abs(told / (notional / volume(server, start - 1, recent)) - 1) < Decimal("0.000001")


async def test_curve_volume_and_coverage_come_from_past_days_of_full_length() -> None:
    short = to_datetime(now() - 3 * DAY).date()
    market = Market(hours=("09:30", "16:00"), short_days={short})
    async with data_server(market) as server, server.feed(source="iex") as driven:
        watched = await driven.feed.watch("ACME", now())
        assert watched is not None
        assert watched.curve is not None
        assert watched.curve.source == "history:20d"
        assert len(watched.curve.shares) == 78
        # How much of the market is seen is an estimate: days are not compared by their volume.
        assert watched.curve.dynamics is not None
        assert watched.curve.dynamics.level is None
        assert watched.daily_volume is not None
        usual = market.profile("ACME").daily_volume
        assert Decimal("0.7") < watched.daily_volume / usual < Decimal("1.4")
        # 26 quarters a day up and down by 0.2 %; what stands before the open is not counted.
        assert watched.volatility == pytest.approx(sqrt(25) * log(1.002), rel=1e-6)
        assert Decimal("0.19") < watched.volume_coverage <= Decimal("0.2001")
        assert all(s.closes_at > now() for s in watched.sessions)
        # All exchanges are asked for what is past; the newest quarter of an hour is not free.
        assert [a for a in server.asked if "feed=sip" in a and "5Min" in a]
        assert not [a for a in server.asked if "feed=sip" in a and "trades" in a]


async def test_the_free_feed_tells_its_own_exchange_alone(server: Running) -> None:
    async with server.feed(source="iex") as driven:
        start = now()
        await driven.feed.watch("ACME", start)
        await asyncio.sleep(1)
        await told_everything(server, driven, start, "iex")


async def test_without_the_market_s_volume_nothing_is_made_of_what_is_not_seen(
    server: Running,
) -> None:
    server.faults.no_sip = True
    async with server.feed(source="iex") as driven:
        watched = await driven.feed.watch("ACME", now())
        assert watched is not None
        assert (watched.volume_coverage, watched.daily_volume) == (1, None)
        assert watched.volatility is not None
        assert watched.curve is not None


async def test_symbols_that_are_not_there_or_not_traded(server: Running) -> None:
    server.market.names.update(DEAD="inactive", COIN="crypto")
    async with server.feed() as driven:
        assert await driven.feed.watch("NOBODY", now()) is None
        with pytest.raises(FeedError, match="does not trade DEAD"):
            await driven.feed.watch("DEAD", now())
        with pytest.raises(FeedError, match="only stocks"):
            await driven.feed.watch("COIN", now())
        with pytest.raises(KeyError):
            driven.feed.tape("NOBODY")


@pytest.mark.parametrize(("fault", "times"), [("limited", 2), ("failing", 3), ("hanging", 1)])
async def test_questions_are_asked_again(server: Running, fault: str, times: int) -> None:
    setattr(server.faults, fault, times)
    async with server.feed() as driven:
        start = now()
        assert await driven.feed.watch("ACME", start) is not None
        assert getattr(server.faults, fault) == 0
        await told_everything(server, driven, start)


async def test_what_does_not_answer_is_an_error_that_says_so(server: Running) -> None:
    server.faults.failing = 1_000
    async with server.feed(patience_ms=500) as driven:
        with pytest.raises(FeedError, match="does not answer: status 500"):
            await driven.feed.watch("ACME", now())
        server.faults.failing = 0
        assert await driven.feed.watch("ACME", now()) is not None


async def test_credentials_are_in_no_error_and_no_representation(
    server: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    async with server.feed(secret_key="wrong-" + SECRET) as driven:
        with pytest.raises(FeedError, match="403") as refused:
            await driven.feed.watch("ACME", now())
        await asyncio.sleep(0.3)
        shown = repr(driven.feed._options) + str(refused.value) + repr(refused.value)
    server.faults.refused_auth = True
    async with server.feed() as driven:
        await driven.feed.watch("ACME", now())
        await asyncio.sleep(0.3)
        shown += repr(driven.feed._options)
    printed = capfd.readouterr()
    for text in (shown, printed.out, printed.err):
        assert SECRET not in text
        assert KEY not in text
    assert "auth failed" in printed.out + printed.err
