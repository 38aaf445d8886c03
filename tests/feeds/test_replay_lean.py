"""Lean trees: one-sided quotes, coarse times, half days, and what a broken file is told."""

import zipfile
from decimal import Decimal
from math import log
from pathlib import Path

import numpy as np
import pytest

from app.calendars import ExchangeCalendars
from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.tape import Tape
from app.feeds.replay import open_feed
from app.ports import Feed, FeedError, Watched
from tests.feeds.written import CLOSES, OPENS, Row, ask, at, bid, lean, trade

MIDNIGHT = at("2013-10-07T04:00")
SESSION_OPEN = at("2013-10-07T13:30")


def ms(text: int) -> Instant:
    return MIDNIGHT + text * 1_000


def quiet_day() -> list[Row]:
    return [bid(OPENS - 5, 999_900, 100), ask(OPENS - 5, 1_000_100, 100)]


async def opened(
    calendars: ExchangeCalendars, root: Path, symbol: str, **options: object
) -> tuple[Feed, Watched]:
    feed = open_feed(calendars, {"path": root, **options})
    assert feed.starts_at is not None
    watched = await feed.watch(symbol, feed.starts_at)
    assert watched is not None
    return feed, watched


async def ticks(
    calendars: ExchangeCalendars, root: Path, trades: list[Row], quotes: list[Row]
) -> Tape:
    lean(root, "tick", "IBM", "20131007", "trade", trades)
    lean(root, "tick", "IBM", "20131007", "quote", quotes)
    feed, _ = await opened(calendars, root, "IBM")
    return feed.tape("IBM")


async def test_each_side_is_carried_forward(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    tape = await ticks(
        calendars,
        tmp_path,
        [trade(OPENS + 9, 1_000_000, 10)],
        [
            bid(OPENS, 999_900, 300),
            ask(OPENS + 1, 1_000_100, 200),
            bid(OPENS + 2, 1_000_000, 500),
            bid(OPENS + 2, 1_000_000, 600),
            ask(OPENS + 4, 1_000_100, 200),
        ],
    )
    assert tape.quote(ms(OPENS)) is None, "one side is no quote"
    quote = tape.quote(ms(OPENS + 3))
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("100.00"), Decimal("100.01"))
    assert (quote.bid_size, quote.ask_size) == (600, 200)
    assert (quote.bid_at, quote.ask_at) == (ms(OPENS + 2), ms(OPENS + 1))
    restated = tape.quote(ms(OPENS + 4))
    assert restated is not None
    assert restated.ask_at == ms(OPENS + 4)


async def test_a_crossed_state_is_dropped_and_a_locked_one_is_real(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    tape = await ticks(
        calendars,
        tmp_path,
        [],
        [
            *quiet_day(),
            bid(OPENS + 1, 1_000_200, 100),
            ask(OPENS + 2, 1_000_300, 100),
            bid(OPENS + 5, 1_000_300, 100),
        ],
    )
    assert tape.dropped == {"crossed": 1}
    before, after = tape.quote(ms(OPENS + 1)), tape.quote(ms(OPENS + 2))
    assert before is not None
    assert before.bid == Decimal("99.99")
    assert after is not None
    # The update that seemed to cross is not lost: it counts from when it was made.
    assert (after.bid, after.bid_at) == (Decimal("100.02"), ms(OPENS + 1))
    locked = tape.quote(ms(OPENS + 5))
    assert locked is not None
    assert locked.bid == locked.ask


async def test_prints_outside_the_quotes_of_their_moment_are_dropped(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    quotes = [
        *quiet_day(),
        bid(OPENS + 10, 1_000_100, 100),
        ask(OPENS + 10, 1_000_300, 100),
    ]
    tape = await ticks(
        calendars,
        tmp_path,
        [
            trade(OPENS - 1, 1_200_000, 1),
            trade(OPENS + 5, 1_000_101, 2),
            trade(OPENS + 5, 1_000_100, 4),
            trade(OPENS + 5, 999_899, 8),
            trade(OPENS + 10, 999_900, 16),
            trade(OPENS + 10, 1_000_300, 32),
            trade(OPENS + 10, 999_899, 64),
            trade(OPENS + 11, 999_900, 128),
            trade(CLOSES - 1, 1_000_300, 256),
            trade(CLOSES, 1_500_000, 512),
            trade(CLOSES + 64_221, 1_500_000, 1024),
        ],
        quotes,
    )
    # Before the open and from the close on nothing is compared: auctions are printed there.
    assert tape.trade_size.tolist() == [1, 4, 16, 32, 256, 512, 1024]
    assert tape.dropped == {"off_market": 4}


async def test_suspicious_ticks_are_dropped(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    tape = await ticks(
        calendars,
        tmp_path,
        [trade(OPENS + 1, 1_000_000, 1), trade(OPENS + 2, 1_000_000, 2, suspicious=1)],
        [*quiet_day(), bid(OPENS + 1, 1_000_000, 7, suspicious=1), ask(OPENS + 3, 1_000_200, 9)],
    )
    assert tape.trade_size.tolist() == [1]
    quote = tape.quote(ms(OPENS + 3))
    assert quote is not None
    assert (quote.bid, quote.ask_size) == (Decimal("99.99"), 9)
    assert tape.dropped == {"suspicious": 2}


async def test_times_may_have_fractions_of_a_millisecond(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    first: Row = (f"{OPENS}.367", *trade(0, 1_000_000, 1)[1:])
    tape = await ticks(calendars, tmp_path, [first], quiet_day())
    assert tape.trade_at.tolist() == [ms(OPENS) + 367]


def bars(price: int, volume: int, *minutes: int) -> list[Row]:
    return [
        (OPENS + m * 60_000, price, price + 300, price - 100, price + 200, volume) for m in minutes
    ]


async def test_minutes_with_quotes_take_their_bid_and_ask(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    lean(tmp_path, "minute", "AIG", "20131007", "trade", bars(500_000, 1_003, 0))
    side = (499_900, 500_200, 499_700, 500_100, 300), (500_100, 500_400, 499_900, 500_300, 700)
    lean(tmp_path, "minute", "AIG", "20131007", "quote", [(OPENS, *side[0], *side[1])])
    feed, watched = await opened(calendars, tmp_path, "AIG")
    tape = feed.tape("AIG")
    moments = [ms(OPENS), ms(OPENS + 20_000), ms(OPENS + 40_000), ms(OPENS + 59_999)]
    assert tape.trade_at.tolist() == tape.quote_at.tolist() == moments
    # The close is above the open: the low is assumed to have come first.
    assert tape.trade_price.tolist() == [500_000, 499_900, 500_300, 500_200]
    assert tape.trade_size.tolist() == [251, 251, 251, 250]
    assert tape.bid.tolist() == [499_900, 499_700, 500_200, 500_100]
    assert tape.ask.tolist() == [500_100, 499_900, 500_400, 500_300]
    assert set(tape.bid_size.tolist()) == {300}
    assert set(tape.ask_size.tolist()) == {700}
    assert watched.instrument.tick == Decimal("0.01")


async def test_a_quote_bar_goes_the_way_of_the_trades(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    falling: Row = (OPENS, 500_000, 500_300, 499_700, 499_800, 40)
    lean(tmp_path, "minute", "AIG", "20131007", "trade", [falling])
    rising = (499_000, 501_000, 498_000, 500_000, 300)
    offer = (500_100, 501_100, 499_900, 500_300, 700)
    lean(
        tmp_path, "minute", "AIG", "20131007", "quote",
        [(OPENS - 60_000, *rising, *offer), (OPENS, *rising, *offer)],
    )  # fmt: skip
    feed, _ = await opened(calendars, tmp_path, "AIG")
    tape = feed.tape("AIG")
    assert tape.trade_price.tolist() == [500_000, 500_300, 499_700, 499_800]
    assert tape.bid.tolist() == [
        *(499_000, 498_000, 501_000, 500_000),
        *(499_000, 501_000, 498_000, 500_000),
    ]


async def test_minutes_without_quotes_get_a_tick_either_side(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    lean(tmp_path, "minute", "GOOG", "20131007", "trade", bars(500_000, 1_000, 0, 3))
    feed, _ = await opened(calendars, tmp_path, "GOOG")
    tape = feed.tape("GOOG")
    assert tape.bid.tolist() == [price - 100 for price in tape.trade_price]
    assert tape.ask.tolist() == [price + 100 for price in tape.trade_price]
    assert set(tape.bid_size.tolist()) == set(tape.ask_size.tolist()) == {50}
    assert tape.quote_at.tolist() == tape.trade_at.tolist()


async def test_one_sided_and_crossed_quote_bars_are_dropped(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    lean(tmp_path, "minute", "AIG", "20131007", "trade", bars(500_000, 40, 0))
    good = (*[499_900] * 4, 300, *[500_100] * 4, 700)
    empty: Row = (OPENS + 60_000, "", "", "", "", "", *[500_100] * 4, 700)
    zero: Row = (OPENS + 120_000, *[499_900] * 4, 0, *[500_100] * 4, 700)
    crossed: Row = (OPENS + 180_000, *[500_200] * 4, 300, *[500_100] * 4, 700)
    rows = [(OPENS, *good), empty, zero, crossed]
    lean(tmp_path, "minute", "AIG", "20131007", "quote", rows)
    feed, _ = await opened(calendars, tmp_path, "AIG")
    tape = feed.tape("AIG")
    assert len(tape.quote_at) == 4
    assert tape.dropped == {"one_sided": 2, "crossed": 4}


async def test_ticks_are_preferred_and_never_mixed_with_minutes(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    for day in ("20131007", "20131008", "20131009"):
        lean(tmp_path, "minute", "IBM", day, "trade", bars(1_000_000, 9_000, 0, 1, 2))
    for day in ("20131008", "20131009"):
        lean(tmp_path, "tick", "IBM", day, "quote", quiet_day())
        lean(tmp_path, "tick", "IBM", day, "trade", [trade(OPENS + 60_000, 1_000_000, 70)])
    # Trade ticks alone cannot be traded on: SPY is played from minutes.
    lean(tmp_path, "tick", "SPY", "20131007", "trade", [trade(OPENS, 1_000_000, 70)])
    lean(tmp_path, "minute", "SPY", "20131007", "trade", bars(1_000_000, 9_000, 0))
    feed, watched = await opened(calendars, tmp_path, "SPY")
    assert feed.tape("SPY").traded(0, feed.tape("SPY").until).volume == 9_000
    first = await feed.watch("IBM", SESSION_OPEN)
    assert first is not None
    assert [s.opens_at for s in first.sessions] == [
        at("2013-10-08T13:30"),
        at("2013-10-09T13:30"),
    ]
    assert first.curve is None
    second = await feed.watch("IBM", at("2013-10-09T13:30"))
    assert second is not None
    assert second.curve is not None
    assert second.curve.source == "history:1d"
    assert second.curve.shares[0] == 1
    assert second.daily_volume == 70
    assert second.volatility is None, "one trade makes no move"
    minutes, by_minute = await opened(calendars, tmp_path, "IBM", resolution="minute")
    assert len(by_minute.sessions) == 3
    later = await minutes.watch("IBM", at("2013-10-08T13:30"))
    assert later is not None
    assert later.daily_volume == 27_000
    assert watched.curve is None


async def test_a_half_day_closes_early_and_its_curve_is_from_full_days(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    for day in ("20151222", "20151223", "20151224", "20151228"):
        lean(tmp_path, "minute", "GOOG", day, "trade", bars(7_000_000, 100, *range(0, 390, 5)))
    feed, watched = await opened(calendars, tmp_path, "GOOG")
    assert [s.length for s in watched.sessions] == [390 * MINUTE] * 2 + [210 * MINUTE, 390 * MINUTE]
    half = watched.sessions[2]
    assert half.closes_at == at("2015-12-24T18:00")
    on_half = await feed.watch("GOOG", half.opens_at)
    assert on_half is not None
    assert on_half.curve is not None
    assert (on_half.curve.source, len(on_half.curve.shares)) == ("history:2d", 78)
    after = await feed.watch("GOOG", half.closes_at)
    assert after is not None
    assert after.curve is not None
    assert after.curve.source == "history:2d"
    # What is printed after an early close is kept, and is outside of the session.
    tape = feed.tape("GOOG")
    assert tape.until > half.closes_at
    assert tape.traded(half.closes_at, tape.until).volume > 0


async def test_the_curve_never_sees_the_current_day_or_later(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    for day, minute in (("20131007", 0), ("20131008", 100), ("20131009", 200)):
        lean(tmp_path, "minute", "AIG", day, "trade", bars(500_000, 900, minute))
    feed, first = await opened(calendars, tmp_path, "AIG")
    assert first.curve is None
    second = await feed.watch("AIG", at("2013-10-08T15:00"))
    assert second is not None
    assert second.curve is not None
    assert second.curve.shares[0] == 1
    # Volume outside of the session is not the session's.
    rows = [*bars(500_000, 900, 0), *bars(500_000, 5_000_000, 390)]
    lean(tmp_path, "minute", "AIG", "20131008", "trade", rows)
    third = await feed.watch("AIG", at("2013-10-09T15:00"))
    assert third is not None
    assert third.daily_volume == 900


async def test_only_chosen_symbols_and_none_that_is_a_path(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    for symbol in ("AIG", "BAC"):
        lean(tmp_path, "minute", symbol, "20131007", "trade", bars(500_000, 900, 0))
    feed, _ = await opened(calendars, tmp_path, "AIG", symbols=["AIG"])
    assert await feed.watch("BAC", SESSION_OPEN) is None
    feed, _ = await opened(calendars, tmp_path, "AIG")
    assert await feed.watch("BAC", SESSION_OPEN) is not None
    for symbol in ("NOPE", "aig", "../MINUTE/AIG", ""):
        assert await feed.watch(symbol, SESSION_OPEN) is None
    with pytest.raises(FeedError, match="no session"):
        open_feed(calendars, {"path": tmp_path, "symbols": ["NOPE"]})


async def test_a_feed_may_start_later(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    for day in ("20131004", "20131007", "20131009"):
        lean(tmp_path, "minute", "AIG", day, "trade", bars(500_000, 900, 0))
    start = at("2013-10-07T18:00")
    feed, watched = await opened(calendars, tmp_path, "AIG", starts_at=start)
    assert feed.starts_at == start
    assert watched.sessions[0].contains(start)
    assert [s.opens_at for s in watched.sessions] == [SESSION_OPEN, at("2013-10-09T13:30")]
    assert feed.tape("AIG").quote(start) is not None


GOOD_TRADE = trade(OPENS, 1_000_000, 5)


@pytest.mark.parametrize(
    ("kind", "row", "complaint"),
    [
        ("trade", (OPENS, 1_000_000, 5), "3 columns where 6 are expected"),
        ("trade", (*GOOD_TRADE, 1), "7 columns where 6 are expected"),
        ("trade", (OPENS, "1x", 5, "P", 1, 0), "cannot read price from '1x'"),
        ("trade", (OPENS, "", 5, "P", 1, 0), "cannot read price from ''"),
        ("trade", (OPENS, "nan", 5, "P", 1, 0), "price is not a number"),
        ("trade", (), "0 columns where 6 are expected"),
        ("trade", trade(OPENS, 0, 5), "price is zero"),
        ("trade", trade(OPENS, -1, 5), "price is negative"),
        ("trade", trade(OPENS, 1_000_000, 0), "size is zero"),
        ("trade", (OPENS, "1000000.5", 5, "P", 1, 0), "price is finer than 1/1"),
        ("trade", trade(OPENS - 10_000, 1_000_000, 5), "time runs backwards"),
        ("quote", bid(OPENS, -5, 5), "bid is negative"),
        ("quote", bid(OPENS, 1_000_000, 0), "a bid without a size"),
        ("quote", ask(OPENS, 1_000_000, 0), "an offer without a size"),
        ("quote", bid(OPENS - 10_000, 1_000_000, 5), "time runs backwards"),
    ],
)
async def test_a_broken_row_is_told_with_file_and_line(
    calendars: ExchangeCalendars, tmp_path: Path, kind: str, row: Row, complaint: str
) -> None:
    rows = {"trade": [trade(OPENS, 1_000_000, 5)] * 2, "quote": quiet_day()}
    lean(tmp_path, "tick", "IBM", "20131007", "trade", rows["trade"])
    lean(tmp_path, "tick", "IBM", "20131007", "quote", rows["quote"])
    path = lean(tmp_path, "tick", "IBM", "20131007", kind, [*rows[kind], row, *rows[kind][:0]])
    feed = open_feed(calendars, {"path": tmp_path})
    with pytest.raises(FeedError) as refused:
        await feed.watch("IBM", SESSION_OPEN)
    assert str(refused.value) == f"{path}, line 3: {complaint}"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ((OPENS, 5, 7, 4, 8, 10), "close is outside of low and high"),
        ((OPENS, 3, 7, 4, 5, 10), "open is outside of low and high"),
        ((OPENS, 5, 7, 4, 5, -1), "volume is negative"),
        ((OPENS - 60_000, 5, 7, 4, 5, 10), "a second row of the same time"),
    ],
)
async def test_a_broken_bar_is_told_with_file_and_line(
    calendars: ExchangeCalendars, tmp_path: Path, row: Row, complaint: str
) -> None:
    good = (OPENS - 60_000, 5, 5, 5, 5, 1)
    path = lean(tmp_path, "minute", "AIG", "20131007", "trade", [good, row])
    feed = open_feed(calendars, {"path": tmp_path})
    with pytest.raises(FeedError) as refused:
        await feed.watch("AIG", SESSION_OPEN)
    assert str(refused.value) == f"{path}, line 2: {complaint}"


async def test_a_broken_archive_is_told(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    path = lean(tmp_path, "minute", "AIG", "20131007", "trade", [])
    path.write_bytes(b"not a zip")
    feed = open_feed(calendars, {"path": tmp_path})
    with pytest.raises(FeedError, match=r"20131007_trade\.zip: cannot be read"):
        await feed.watch("AIG", SESSION_OPEN)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    with pytest.raises(FeedError, match="2 files inside, one expected"):
        await feed.watch("AIG", SESSION_OPEN)


def test_what_cannot_be_opened_is_told(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(FeedError, match="needs a path"):
        open_feed(calendars, {})
    with pytest.raises(FeedError, match="neither a directory"):
        open_feed(calendars, {"path": tmp_path / "a.csv"})
    with pytest.raises(FeedError, match="no such directory"):
        open_feed(calendars, {"path": tmp_path})
    lean(tmp_path, "minute", "AIG", "20131007", "trade", [])
    with pytest.raises(FeedError, match="tick, second or minute"):
        open_feed(calendars, {"path": tmp_path, "resolution": "hour"})
    lean(tmp_path, "minute", "AIG", "2013-oct", "trade", [])
    with pytest.raises(FeedError, match="not named after its day"):
        open_feed(calendars, {"path": tmp_path})


@pytest.mark.data
@pytest.mark.parametrize(
    ("symbol", "quotes", "trades", "off_market"),
    [("IBM", 108_976, 23_690, 603), ("BAC", 476_854, 88_001, 171)],
)
async def test_real_ticks(
    calendars: ExchangeCalendars,
    data_sets: Path,
    symbol: str,
    quotes: int,
    trades: int,
    off_market: int,
) -> None:
    feed = open_feed(calendars, {"path": data_sets / "lean", "symbols": [symbol]})
    watched = await feed.watch(symbol, SESSION_OPEN)
    assert watched is not None
    tape = feed.tape(symbol)
    assert (len(tape.quote_at), len(tape.trade_at)) == (quotes, trades)
    assert tape.dropped["off_market"] == off_market
    assert np.all(tape.bid <= tape.ask)
    session = watched.sessions[0]
    last = tape.last(session.closes_at - 1)
    assert last is not None
    assert session.closes_at - last[1] < SECOND
    # The closing cross is printed after the close.
    cross = tape.traded(session.closes_at, session.closes_at + 5 * MINUTE).volume
    assert cross > 100_000


@pytest.mark.data
async def test_real_minutes_of_a_half_day(calendars: ExchangeCalendars, data_sets: Path) -> None:
    feed = open_feed(calendars, {"path": data_sets / "lean", "symbols": ["GOOG"]})
    watched = await feed.watch("GOOG", at("2015-12-24T14:30"))
    assert watched is not None
    assert watched.sessions[0].closes_at == at("2015-12-24T18:00")
    session = watched.sessions[0]
    volume = feed.tape("GOOG").traded(session.opens_at - 1, session.closes_at - 1).volume
    assert 400_000 < volume < 600_000


async def test_volatility_is_measured_within_past_sessions(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    for day, price in (("20131007", 1_000_000), ("20131008", 2_000_000), ("20131009", 10_000)):
        rows = [*bars(price, 900, 0), *bars(price * 101 // 100, 900, 100)]
        lean(tmp_path, "minute", "AIG", day, "trade", rows)
    feed, first = await opened(calendars, tmp_path, "AIG")
    assert first.volatility is None
    third = await feed.watch("AIG", at("2013-10-09T15:00"))
    assert third is not None
    # Up by a hundredth on each day before; doubled overnight, which does not count.
    assert third.volatility == pytest.approx(log(1.01), rel=1e-3)
