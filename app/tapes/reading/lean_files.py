"""The files of Lean's format: zipped CSV without a header, prices × 10,000, New York time.

Quote ticks are updates of one side of the national best bid and offer, the other side being 0:
each side is carried forward. The few states in which that crosses the book are dropped, and so
are ticks flagged suspicious. Sale conditions are not looked at: on IBM and BAC those that mark
late or negotiated prices (20040200, 20000200, 20100000, 20100200) are the ones that fall to the
comparison with the quotes, and their prints inside the quotes do no harm.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from app.domain.instant import MILLISECOND, Instant, Micros
from app.domain.tape import Prints
from app.domain.tape_search import Flags, Integers
from app.tapes.reading.bars import (
    PRICES,
    Bars,
    QuoteBars,
    book_around,
    book_of,
    prices_of,
    prints_of,
)
from app.tapes.reading.recording import Book, Recording, rows_of, without_crossed
from app.tapes.reading.rows import Format, Rows, read_rows

PRICE_SCALE = 10_000
SIZE_SCALE = 1
TICK = PRICE_SCALE // 100

MARKS = ("exchange", "condition", "suspicious")
TRADE_TICKS = ("time", "price", "size", *MARKS)
QUOTE_TICKS = ("time", "bid", "bid size", "ask", "ask size", *MARKS)
TRADE_BARS = ("time", *PRICES, "volume")
BID = (*(f"bid {name}" for name in PRICES), "bid size")
ASK = (*(f"ask {name}" for name in PRICES), "ask size")
QUOTE_BARS = ("time", *BID, *ASK)


def read_ticks(trades: Path, quotes: Path, midnight: Instant) -> Recording:
    """A day of ticks. Raises FeedError."""
    prints, suspicious_prints = read_prints(trades, midnight)
    rows = _rows(quotes, QUOTE_TICKS, [*QUOTE_TICKS[:5], "suspicious"])
    at = _times(rows, midnight)
    rows.in_order(at)
    bid, ask = rows.units("bid", 1, zero=True), rows.units("ask", 1, zero=True)
    bid_size, ask_size = rows.units("bid size", 1, zero=True), rows.units("ask size", 1, zero=True)
    rows.refuse((bid > 0) & (bid_size == 0), "a bid without a size")
    rows.refuse((ask > 0) & (ask_size == 0), "an offer without a size")
    honest = ~_suspicious(rows)
    book = _carried(at, (bid, bid_size), (ask, ask_size), honest)
    book, crossed = without_crossed(book)
    suspicious = np.sort(np.concatenate((suspicious_prints, at[~honest])))
    dropped = {"crossed": crossed, "suspicious": suspicious}
    return Recording(PRICE_SCALE, SIZE_SCALE, book, prints, dropped)


def read_prints(path: Path, midnight: Instant) -> tuple[Prints, Integers]:
    """A day's trade ticks, and the times of those flagged suspicious. Raises FeedError."""
    rows = _rows(path, TRADE_TICKS, ["time", "price", "size", "suspicious"])
    at = _times(rows, midnight)
    rows.in_order(at)
    prints = Prints(at, rows.units("price", 1), rows.units("size", 1))
    suspicious = _suspicious(rows)
    return rows_of(prints, ~suspicious), at[suspicious]


def read_bars(trades: Path, quotes: Path | None, midnight: Instant, length: Micros) -> Recording:
    """A day of bars; where quotes are missing they are assumed. Raises FeedError."""
    bars = read_trade_bars(trades, midnight, length)
    if quotes is None:
        book, dropped = book_around(bars, TICK, 1), {}
    else:
        sided, one_sided = read_quote_bars(quotes, midnight, length)
        book, crossed = without_crossed(book_of(sided, bars))
        dropped = {"crossed": crossed, "one_sided": one_sided}
    return Recording(PRICE_SCALE, SIZE_SCALE, book, prints_of(bars), dropped, trusted=True)


def read_trade_bars(path: Path, midnight: Instant, length: Micros) -> Bars:
    """A day's trade bars, stamped with their start. Raises FeedError."""
    rows = _rows(path, TRADE_BARS, TRADE_BARS)
    at = _times(rows, midnight)
    rows.in_order(at, strictly=True)
    return Bars(at, length, prices_of(rows, "", 1), rows.units("volume", 1, zero=True))


def read_quote_bars(path: Path, midnight: Instant, length: Micros) -> tuple[QuoteBars, Integers]:
    """The bars that have both sides, and the times of those that have not."""
    rows = _rows(path, QUOTE_BARS, QUOTE_BARS, may_be_empty=QUOTE_BARS[1:])
    at = _times(rows, midnight)
    rows.in_order(at, strictly=True)
    sizes = rows.units("bid size", 1, zero=True), rows.units("ask size", 1, zero=True)
    bid = prices_of(rows, "bid ", 1, zero=True)
    ask = prices_of(rows, "ask ", 1, zero=True)
    whole = (bid.low > 0) & (ask.low > 0) & (sizes[0] > 0) & (sizes[1] > 0)
    bars = QuoteBars(
        at[whole], length, bid.rows(whole), ask.rows(whole), sizes[0][whole], sizes[1][whole]
    )
    return bars, at[~whole]


def _rows(
    path: Path, names: tuple[str, ...], wanted: Iterable[str], may_be_empty: Iterable[str] = ()
) -> Rows:
    types = {name: pl.Float64 for name in wanted}
    return read_rows(path, Format(header=False, names=names), types, may_be_empty=may_be_empty)


def _times(rows: Rows, midnight: Instant) -> Integers:
    return midnight + np.rint(rows.numbers("time") * MILLISECOND).astype(np.int64)


def _suspicious(rows: Rows) -> Flags:
    return np.not_equal(rows.numbers("suspicious"), 0)


def _carried(
    at: Integers,
    bid: tuple[Integers, Integers],
    ask: tuple[Integers, Integers],
    honest: Flags,
) -> Book:
    """Both sides at every update, from the first at which both are known."""
    rows = np.arange(len(at))
    bid_row = np.maximum.accumulate(np.where(honest & (bid[0] > 0), rows, -1))
    ask_row = np.maximum.accumulate(np.where(honest & (ask[0] > 0), rows, -1))
    known = honest & (bid_row >= 0) & (ask_row >= 0)
    bid_row, ask_row = bid_row[known], ask_row[known]
    return Book(
        at=at[known],
        bid=bid[0][bid_row],
        ask=ask[0][ask_row],
        bid_size=bid[1][bid_row],
        ask_size=ask[1][ask_row],
        bid_at=at[bid_row],
        ask_at=at[ask_row],
    )
