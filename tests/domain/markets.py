"""Small random markets for order flow: rows first, tapes from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from app.domain.instant import SECOND, Instant
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape

END = 700 * SECOND
MIRROR = 30
"""Prices lie between 10 and 20, and so do their mirror images."""


@dataclass(frozen=True)
class Quoted:
    at: Instant
    bid: int
    bid_size: int
    ask: int
    ask_size: int

    def mirrored(self) -> "Quoted":
        return Quoted(self.at, MIRROR - self.ask, self.ask_size, MIRROR - self.bid, self.bid_size)


@dataclass(frozen=True)
class Dealt:
    at: Instant
    price: int
    size: int

    def mirrored(self) -> "Dealt":
        return Dealt(self.at, MIRROR - self.price, self.size)


@dataclass(frozen=True)
class Story:
    quotes: tuple[Quoted, ...]
    deals: tuple[Dealt, ...]

    def until(self, now: Instant) -> "Story":
        return Story(
            tuple(q for q in self.quotes if q.at <= now),
            tuple(d for d in self.deals if d.at <= now),
        )

    def followed_by(self, later: "Story", now: Instant) -> "Story":
        mine = self.until(now)
        return Story(
            (*mine.quotes, *(q for q in later.quotes if q.at > now)),
            (*mine.deals, *(d for d in later.deals if d.at > now)),
        )

    def mirrored(self) -> "Story":
        return Story(
            tuple(q.mirrored() for q in self.quotes), tuple(d.mirrored() for d in self.deals)
        )

    def tape(self) -> Tape:
        return tape_of(self.quotes, self.deals)


def tape_of(quotes: Sequence[Quoted], deals: Sequence[Dealt] = (), scale: int = 1) -> Tape:
    return build_tape(
        "X",
        price_scale=scale,
        size_scale=1,
        since=0,
        until=END,
        quotes=Quotes(
            at=[q.at for q in quotes],
            bid=[q.bid for q in quotes],
            ask=[q.ask for q in quotes],
            bid_size=[q.bid_size for q in quotes],
            ask_size=[q.ask_size for q in quotes],
        ),
        trades=Trades(
            at=[d.at for d in deals],
            price=[d.price for d in deals],
            size=[d.size for d in deals],
        ),
    )


MOMENTS = st.integers(1, END)
_PRICES, _SIZES = st.integers(10, 20), st.integers(1, 9)

_QUOTES = st.builds(Quoted, MOMENTS, _PRICES, _SIZES, _PRICES, _SIZES)
"""Some of them locked, some crossed."""
_DEALS = st.builds(Dealt, MOMENTS, _PRICES, _SIZES)

STORIES = st.builds(
    Story,
    st.lists(_QUOTES, max_size=40).map(lambda rows: tuple(sorted(rows, key=lambda q: q.at))),
    st.lists(_DEALS, max_size=40).map(lambda rows: tuple(sorted(rows, key=lambda d: d.at))),
)
