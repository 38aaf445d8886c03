"""A dump of Binance's futures streams: a local clock in ns, a space, JSON; one message a line.

The book ticker gives the quotes and the trade stream the trades; depth and its snapshot are
dropped. Times are the exchange's `T` in whole milliseconds: the local clock of the known dump is
1.27 s behind it. Every print is one of this very book and is kept; the ticker follows the prints
by up to 5 ms, so that a print of a large order is often outside the last quotes.

Tick and lot are the finest steps that occur. Trading time is the whole UTC days around the data,
so that this counts as a market that never closes; before and after the data it is silent, and
orders wait there for a fresh quote.
"""

import io
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import gcd
from pathlib import Path

import numpy as np
import polars as pl

from app.domain.instant import MILLISECOND
from app.domain.instrument import Instrument
from app.domain.tape import Prints
from app.domain.tape_search import Integers, last_change
from app.ports import Calendar, FeedError
from app.tapes.reading.held import Held, HeldRecords, parts_of
from app.tapes.reading.recording import Book, Recording
from app.tapes.reading.rows import Rows, unpacked

CALENDAR = "24/7"
CURRENCY = "USDT"

BOOK_TICKER = ("T", "s", "b", "B", "a", "A")
TRADE = ("T", "s", "p", "q", "X")


def binance_records(path: Path, calendar: Calendar) -> HeldRecords:
    """All symbols of a dump. Raises FeedError."""
    lines = unpacked(path).split(b"\n")
    quotes = _messages(path, lines, b'@bookTicker"', BOOK_TICKER)
    trades = _messages(path, lines, b'@trade"', TRADE)
    symbols = {*quotes.frame["s"], *trades.frame["s"]}

    def load(symbol: str) -> Held:
        return _held(symbol, _of(quotes, symbol), _of(trades, symbol), calendar)

    return HeldRecords(symbols, load)


def _messages(path: Path, lines: Sequence[bytes], stream: bytes, fields: tuple[str, ...]) -> Rows:
    """The messages of one kind of stream, all their fields as text but the time."""
    numbers = [i for i, line in enumerate(lines, start=1) if stream in line]
    text = b"\n".join(lines[i - 1].partition(b" ")[2] for i in numbers)
    types = {name: pl.Int64 if name == "T" else pl.String for name in fields}
    try:
        frame = pl.read_ndjson(io.BytesIO(text), schema={"data": pl.Struct(types)})
    except pl.exceptions.PolarsError as unreadable:
        _explain(path, lines, numbers)
        raise FeedError(f"{path}: {unreadable}") from unreadable
    rows = Rows(str(path), numbers, frame.unnest("data"))
    for name in ("T", "s"):
        rows.refuse(rows.frame[name].is_null().to_numpy(), f"no {name} in the message")
    return rows


def _explain(path: Path, lines: Sequence[bytes], numbers: Iterable[int]) -> None:
    """Raises FeedError for the first line that is not JSON."""
    for number in numbers:
        try:
            json.loads(lines[number - 1].partition(b" ")[2])
        except ValueError as wrong:
            raise FeedError(f"{path}, line {number}: not JSON: {wrong}") from wrong


def _of(rows: Rows, symbol: str) -> Rows:
    own = rows.frame["s"] == symbol
    lines = np.asarray(rows.lines, dtype=np.int64)[own.to_numpy()]
    return Rows(rows.file, lines.tolist(), rows.frame.filter(own))


def _held(symbol: str, quotes: Rows, trades: Rows, calendar: Calendar) -> Held:
    price_scale = 10 ** max(_decimals(quotes, "b", "a"), _decimals(trades, "p"))
    size_scale = 10 ** max(_decimals(quotes, "B", "A"), _decimals(trades, "q"))
    book = _book(quotes, price_scale, size_scale)
    prints, odd = _prints(trades, price_scale, size_scale)
    recording = Recording(price_scale, size_scale, book, prints, {"not_market": odd}, trusted=True)
    tick = _step(price_scale, book.bid, book.ask, prints.price)
    lot = _step(size_scale, book.bid_size, book.ask_size, prints.size)
    instrument = Instrument(symbol, tick, lot, lot, CALENDAR, CURRENCY)
    return Held(instrument, recording, parts_of(recording, calendar, CALENDAR))


def _book(quotes: Rows, price_scale: int, size_scale: int) -> Book:
    at = _times(quotes)
    bid, ask = quotes.units("b", price_scale), quotes.units("a", price_scale)
    bid_size, ask_size = quotes.units("B", size_scale), quotes.units("A", size_scale)
    quotes.refuse(bid > ask, "the bid is above the offer")
    # Every message restates both sides; one that is as it was has not spoken.
    bid_at, ask_at = last_change(at, bid, bid_size), last_change(at, ask, ask_size)
    return Book(at, bid, ask, bid_size, ask_size, bid_at, ask_at)


def _prints(trades: Rows, price_scale: int, size_scale: int) -> tuple[Prints, Integers]:
    """The trades of the book, and the times of others (liquidations by the insurance fund)."""
    odd = (trades.frame["X"].fill_null("MARKET") != "MARKET").to_numpy()
    at = _times(trades)
    lines = np.asarray(trades.lines, dtype=np.int64)[~odd].tolist()
    market = Rows(trades.file, lines, trades.frame.filter(~odd))
    prints = Prints(at[~odd], market.units("p", price_scale), market.units("q", size_scale))
    return prints, at[odd]


def _times(rows: Rows) -> Integers:
    at: Integers = rows.frame["T"].to_numpy() * MILLISECOND
    rows.in_order(at)
    return at


def _decimals(rows: Rows, *columns: str) -> int:
    """How many decimals the most precise of these texts has; trailing zeros do not count."""
    longest = 0
    for column in columns:
        fraction = rows.frame[column].str.strip_chars_end("0").str.split(".").list
        digits = fraction.get(1, null_on_oob=True).str.len_chars()
        longest = max(longest, int(digits.fill_null(0).to_numpy().max(initial=0)))
    return longest


def _step(scale: int, *columns: Integers) -> Decimal:
    """The largest step of which all values are multiples."""
    steps = [int(np.gcd.reduce(column)) for column in columns if len(column)]
    return Decimal(gcd(*steps) or 1) / scale
