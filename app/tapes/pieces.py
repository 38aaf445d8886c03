"""What a source gives for a symbol: bars or ticks of some time, cut into sessions and stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from app.domain.instant import DAY, HOUR, Instant
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_search import Flags, Integers, after
from app.tapes.columns import Entry
from app.tapes.reading.bars import Bars, QuoteBars, book_around, book_of, prints_of
from app.tapes.reading.recording import Recording, without_crossed
from app.tapes.sketch import Sketch, sketch_of

NEIGHBOURS = 14 * DAY
BESIDE_A_SESSION = 9 * HOUR
"""Rows farther than this from any session are of a day on which the market is closed."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Whole numbers for prices and sizes, and the instrument's grid in them."""

    price: int
    size: int
    tick: int
    lot: int


@dataclass(frozen=True, slots=True)
class BarsPiece:
    """Bars with quote bars or without. `lost` has the times of dropped rows, by reason."""

    bars: Bars
    quotes: QuoteBars | None
    lost: Mapping[str, Integers] = field(default_factory=dict)

    def times(self) -> Sequence[Integers]:
        return (self.bars.at, *([self.quotes.at] if self.quotes is not None else []))

    def between(self, start: Instant, end: Instant) -> "BarsPiece":
        rows = _between(self.bars.at, start, end)
        quotes = self.quotes
        if quotes is not None:
            quotes = quote_rows(quotes, _between(quotes.at, start, end))
            # A day whose quotes are missing is played with assumed ones.
            quotes = quotes if len(quotes.at) else None
        return BarsPiece(bar_rows(self.bars, rows), quotes, _lost(self.lost, start, end))

    def sketch(self, session: Session) -> Sketch:
        prices = self.bars.prices
        columns = (prices.open, prices.high, prices.low, prices.close)
        return sketch_of(session, self.bars.at, columns, self.bars.volume, self.bars.length)

    def recording(self, scales: Scales) -> Recording:
        if self.quotes is None:
            book, crossed = book_around(self.bars, scales.tick, scales.lot), None
        else:
            book, crossed = without_crossed(book_of(self.quotes, self.bars))
        lost = {**self.lost} if crossed is None else {**self.lost, "crossed": crossed}
        prints = prints_of(self.bars)
        return Recording(scales.price, scales.size, book, prints, lost, trusted=True)


@dataclass(frozen=True, slots=True)
class TicksPiece:
    recording: Recording

    def times(self) -> Sequence[Integers]:
        return (self.recording.book.at, self.recording.prints.at)

    def between(self, start: Instant, end: Instant) -> "TicksPiece":
        return TicksPiece(self.recording.between(start, end))

    def sketch(self, session: Session) -> Sketch:
        prints, book = self.recording.prints, self.recording.book
        if not len(prints.at):
            # Quotes alone: they show the hours, and trade nothing.
            nothing = np.zeros(len(book.at), dtype=np.int64)
            return sketch_of(session, book.at, [book.bid] * 4, nothing, 0)
        return sketch_of(session, prints.at, [prints.price] * 4, prints.size, 0)


Piece = BarsPiece | TicksPiece


def bar_rows(bars: Bars, chosen: slice | Flags) -> Bars:
    prices = bars.prices
    parts = (prices.open, prices.high, prices.low, prices.close)
    kept = type(prices)(*(column[chosen] for column in parts))
    return Bars(bars.at[chosen], bars.length, kept, bars.volume[chosen])


def quote_rows(quotes: QuoteBars, chosen: slice | Flags) -> QuoteBars:
    kind = type(quotes.bid)
    bid, ask = (
        kind(*(column[chosen] for column in (side.open, side.high, side.low, side.close)))
        for side in (quotes.bid, quotes.ask)
    )
    sizes = quotes.bid_size[chosen], quotes.ask_size[chosen]
    return QuoteBars(quotes.at[chosen], quotes.length, bid, ask, *sizes)


def cut(piece: Piece, stretches: Sequence[Session]) -> Iterator[tuple[Session, Piece]]:
    """The sessions near which something happened, each with all rows nearest to it.

    `stretches` are the calendar's, well beyond both ends of the piece.
    """
    ends = [int(at[i]) for at in piece.times() if len(at) for i in (0, -1)]
    if not ends:
        return
    middles = [(a.closes_at + b.opens_at) // 2 for a, b in pairwise(stretches)]
    starts, stops = [min(ends), *middles], [*middles, max(ends) + 1]
    for stretch, start, stop in zip(stretches, starts, stops, strict=True):
        if start < stop and any(_any(at, start, stop) for at in piece.times()):
            yield stretch, piece.between(start, stop)


def far_from_sessions(at: Integers, stretches: Sequence[Session]) -> Flags:
    """Rows of days on which the market is closed."""
    if not len(at) or not stretches:
        return np.zeros(len(at), dtype=np.bool_)
    opens = np.array([s.opens_at for s in stretches], dtype=np.int64) - BESIDE_A_SESSION
    closes = np.array([s.closes_at for s in stretches], dtype=np.int64) + BESIDE_A_SESSION
    which = opens.searchsorted(at, side="right") - 1
    return (which < 0) | (at >= closes[np.maximum(which, 0)])


def entry_of(session: Session, sketch: Sketch, tape: Tape, counts: Mapping[str, int]) -> Entry:
    numbers = {"quotes": 0, "trades": 0, "beside": 0, "bars": 0, "quote_bars": 0, **counts}
    return Entry(
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        since=tape.since,
        until=tape.until,
        **numbers,
        open=sketch.open,
        high=sketch.high,
        low=sketch.low,
        close=sketch.close,
        volume=sketch.volume,
        outside=sketch.outside,
    )


def _between(at: Integers, start: Instant, end: Instant) -> slice:
    return slice(after(at, start - 1), after(at, end - 1))


def _any(at: Integers, start: Instant, end: Instant) -> bool:
    return after(at, end - 1) > after(at, start - 1)


def _lost(lost: Mapping[str, Integers], start: Instant, end: Instant) -> Mapping[str, Integers]:
    return {reason: at[(at >= start) & (at < end)] for reason, at in lost.items()}
