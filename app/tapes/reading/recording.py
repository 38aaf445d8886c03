"""Recorded market data in memory, cleaned, and cut into the tapes of single sessions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from app.domain.instant import Instant, rfc3339
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Prints, Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.domain.tape_search import Flags, Integers, after
from app.ports import FeedError


@dataclass(frozen=True, slots=True)
class Book:
    """Best bid and offer at every row, and when each side last spoke."""

    at: Integers
    bid: Integers
    ask: Integers
    bid_size: Integers
    ask_size: Integers
    bid_at: Integers
    ask_at: Integers

    def rows(self, chosen: slice | Flags) -> "Book":
        return Book(*(column[chosen] for column in self.columns()))

    def columns(self) -> Iterator[Integers]:
        yield from (self.at, self.bid, self.ask, self.bid_size, self.ask_size)
        yield from (self.bid_at, self.ask_at)


NOTHING: Integers = np.empty(0, dtype=np.int64)
NO_BOOK = Book(*[NOTHING] * 7)
NO_PRINTS = Prints(NOTHING, NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class Recording:
    """Quotes and trades in whole numbers of the scales; `dropped` has the times of lost rows.

    `trusted` prints are not compared with the quotes: they are made from bars, or are those of
    the quoted book itself and not of many venues.
    """

    price_scale: int
    size_scale: int
    book: Book = NO_BOOK
    prints: Prints = NO_PRINTS
    dropped: Mapping[str, Integers] = field(default_factory=dict)
    trusted: bool = False

    def tape(self, symbol: str, stretch: Session, start: Instant, end: Instant) -> Tape:
        """What happened in [start, end), of which `stretch` is the part that can be traded."""
        part = self.between(start, end)
        if not part.trusted:
            part = _on_market(part, stretch)
        book, prints = part.book, part.prints
        ends = [int(at[i]) for at in (book.at, prints.at) if len(at) for i in (0, -1)]
        try:
            return build_tape(
                symbol,
                price_scale=self.price_scale,
                size_scale=self.size_scale,
                since=min(stretch.opens_at, *ends) if ends else stretch.opens_at,
                until=max(stretch.closes_at, *ends) if ends else stretch.closes_at,
                quotes=Quotes(*book.columns()),
                trades=Trades(prints.at, prints.price, prints.size),
                dropped={reason: len(at) for reason, at in part.dropped.items()},
            )
        except ValueError as wrong:
            # Rows that passed one by one and make no tape together; their files are merged here.
            day = rfc3339(stretch.opens_at)
            raise FeedError(f"the recording of {symbol}, session of {day}: {wrong}") from wrong

    def between(self, start: Instant, end: Instant) -> "Recording":
        """The rows in [start, end)."""
        quotes, trades = _stretch(self.book.at, start, end), _stretch(self.prints.at, start, end)
        lost = {reason: at[_stretch(at, start, end)] for reason, at in self.dropped.items()}
        book, prints = self.book.rows(quotes), rows_of(self.prints, trades)
        return Recording(self.price_scale, self.size_scale, book, prints, lost, self.trusted)


class Records(Protocol):
    """A place where recordings are kept."""

    def symbols(self) -> Sequence[str]: ...

    def instrument(self, symbol: str) -> Instrument | None: ...

    def stretches(self, symbol: str) -> Sequence[Session]:
        """All stretches of trading time for which there is data, in order."""
        ...

    def begins(self, symbol: str) -> Instant | None:
        """The first moment of trading time with data; None for a symbol that has none."""
        ...

    def tape(self, symbol: str, stretch: Session) -> Tape: ...

    def traded(self, symbol: str, stretch: Session) -> tuple[Prints, int]:
        """The trades of a stretch for a volume history, nothing filtered; and their size scale."""
        ...


def rows_of(prints: Prints, chosen: slice | Flags) -> Prints:
    return Prints(prints.at[chosen], prints.price[chosen], prints.size[chosen])


def _stretch(at: Integers, start: Instant, end: Instant) -> slice:
    return slice(after(at, start - 1), after(at, end - 1))


def without_crossed(book: Book) -> tuple[Book, Integers]:
    """The book without the rows whose bid is above the offer, and when those were.

    The last uncrossed row stands until the next: one-sided updates pass through such states for
    a few milliseconds. A locked book (bid = offer) is real and stays.
    """
    crossed = book.bid > book.ask
    return book.rows(~crossed), book.at[crossed]


def off_market(recording: Recording, session: Session) -> Flags:
    """Which of the session's prints are outside the quotes of their moment: no order met them.

    Times are coarse, so a print may stand before or after the updates that share its time: what
    lies within the quotes just before them and just after them taken together is kept. Outside
    the session nothing is compared: the closing cross is printed after the close.
    """
    book, prints = recording.book, recording.prints
    if recording.trusted or not len(book.at) or not len(prints.at):
        return np.zeros(len(prints.at), dtype=np.bool_)
    earlier = np.maximum(book.at.searchsorted(prints.at, side="left") - 1, 0)
    later = np.maximum(book.at.searchsorted(prints.at, side="right") - 1, 0)
    low = np.minimum(book.bid[earlier], book.bid[later])
    high = np.maximum(book.ask[earlier], book.ask[later])
    outside = (prints.price < low) | (prints.price > high)
    outside &= (prints.at >= session.opens_at) & (prints.at < session.closes_at)
    return np.asarray(outside)


def _on_market(recording: Recording, session: Session) -> Recording:
    """Without the prints that are off the market, which are counted."""
    outside, prints = off_market(recording, session), recording.prints
    if not len(recording.book.at) or not len(prints.at):
        return recording
    dropped = {**recording.dropped, "off_market": prints.at[outside]}
    return replace(recording, prints=rows_of(prints, ~outside), dropped=dropped)
