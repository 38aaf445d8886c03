"""Dumps of Binance's streams."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY
from app.feeds.replay import open_feed
from app.ports import FeedError
from tests.feeds.written import at, deal, dump, ticker

START = at("2024-08-08T23:54:16")
MS = START // 1_000

MESSAGES = [
    (MS, "depth@0ms", {"e": "depthUpdate", "s": "BTCUSDT", "b": [["1.0", "2"]], "a": []}),
    ticker(MS, "61800.20", "2.507", "61800.30", "2.510"),
    deal(MS + 1, "61800.30", "0.006"),
    deal(MS + 1, "61810.00", "1.000"),
    deal(MS + 1, "61800.10", "9.000", "INSURANCE_FUND"),
    ticker(MS + 5, "61800.20", "2.507", "61810.00", "0.120"),
    deal(MS + 400_000, "61800.20", "0.001"),
]


async def test_a_dump_is_quotes_and_trades_at_the_exchanges_time(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    feed = open_feed(calendars, {"path": dump(tmp_path / "dump.gz", MESSAGES)})
    assert feed.starts_at == START
    watched = await feed.watch("BTCUSDT", START)
    assert watched is not None
    assert (watched.instrument.tick, watched.instrument.lot) == (Decimal("0.1"), Decimal("0.001"))
    assert watched.instrument.calendar == "24/7"
    tape = feed.tape("BTCUSDT")
    # A large order's prints come before the quotes that show it: all are of this very book.
    assert [tape.price(p) for p in tape.trade_price] == [
        Decimal("61800.3"),
        Decimal("61810"),
        Decimal("61800.2"),
    ]
    assert tape.dropped == {"not_market": 1}
    quote = tape.quote(START + 5_000)
    assert quote is not None
    assert (quote.bid, quote.ask) == (Decimal("61800.2"), Decimal("61810"))
    assert (quote.bid_size, quote.ask_size) == (Decimal("2.507"), Decimal("0.12"))
    assert (quote.bid_at, quote.ask_at) == (START, START + 5_000)


async def test_tick_and_lot_are_the_finest_steps_that_occur(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    messages = [
        ticker(MS, "100.00", "4", "100.50", "10"),
        ticker(MS + 1, "101.50", "6", "102.00", "8"),
        deal(MS + 1, "101.50", "2"),
    ]
    feed = open_feed(calendars, {"path": dump(tmp_path / "dump.gz", messages)})
    watched = await feed.watch("BTCUSDT", START)
    assert watched is not None
    assert (watched.instrument.tick, watched.instrument.lot) == (Decimal("0.5"), Decimal(2))
    assert feed.tape("BTCUSDT").price_scale == 10
    assert feed.tape("BTCUSDT").size_scale == 1


async def test_trading_time_is_whole_days_around_the_data(
    calendars: ExchangeCalendars, tmp_path: Path
) -> None:
    feed = open_feed(calendars, {"path": dump(tmp_path / "dump.gz", MESSAGES)})
    watched = await feed.watch("BTCUSDT", START)
    assert watched is not None
    (session,) = watched.sessions
    midnight = START // DAY * DAY
    # The last trade is a minute after midnight.
    assert (session.opens_at, session.closes_at) == (midnight, midnight + 2 * DAY)
    assert session.round_the_clock
    assert watched.curve is None
    assert feed.tape("BTCUSDT").until == session.closes_at
    assert await feed.watch("ETHUSDT", START) is None


@pytest.mark.parametrize(
    ("index", "line", "complaint"),
    [
        (2, b'1 {"stream":"btcusdt@trade"', "not JSON"),
        (2, b'1 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT"}}', "no T in the message"),
        (2, b'1 {"stream":"btcusdt@trade","data":{"T":1}}', "no s in the message"),
    ],
)
def test_a_broken_line_is_told(
    calendars: ExchangeCalendars, tmp_path: Path, index: int, line: bytes, complaint: str
) -> None:
    path = dump(tmp_path / "dump.gz", MESSAGES)
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    lines[index] = line
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    with pytest.raises(FeedError) as refused:
        open_feed(calendars, {"path": path})
    assert str(refused.value).startswith(f"{path}, line {index + 1}: {complaint}")


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (ticker(MS + 5, "61800.40", "1", "61800.30", "1"), "the bid is above the offer"),
        (ticker(MS + 5, "61800.20", "0", "61800.30", "1"), "B is zero"),
        (ticker(MS + 5, "x", "1", "61800.30", "1"), "b is not a number"),
        (ticker(MS - 5, "61800.20", "1", "61800.30", "1"), "time runs backwards"),
        (deal(MS + 5, "0", "1"), "p is zero"),
        (deal(MS - 5, "61800.20", "1"), "time runs backwards"),
    ],
)
def test_a_broken_message_is_told(
    calendars: ExchangeCalendars,
    tmp_path: Path,
    message: tuple[int, str, dict[str, object]],
    complaint: str,
) -> None:
    path = dump(tmp_path / "dump.gz", [*MESSAGES[:5], message])
    with pytest.raises(FeedError) as refused:
        open_feed(calendars, {"path": path})
    assert str(refused.value) == f"{path}, line 6: {complaint}"


def test_a_broken_archive_is_told(calendars: ExchangeCalendars, tmp_path: Path) -> None:
    path = tmp_path / "dump.gz"
    path.write_bytes(b"plain")
    with pytest.raises(FeedError, match="cannot be read"):
        open_feed(calendars, {"path": path})


@pytest.mark.data
async def test_the_real_dump(calendars: ExchangeCalendars, data_sets: Path) -> None:
    path = data_sets / "hftbacktest" / "usdm" / "btcusdt_20240808.gz"
    feed = open_feed(calendars, {"path": path})
    assert feed.starts_at is not None
    watched = await feed.watch("BTCUSDT", feed.starts_at)
    assert watched is not None
    tape = feed.tape("BTCUSDT")
    assert (len(tape.quote_at), len(tape.trade_at)) == (66_089, 21_313)
    assert (watched.instrument.tick, watched.instrument.lot) == (Decimal("0.1"), Decimal("0.001"))
