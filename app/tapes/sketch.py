"""A session in few numbers: enough to see gaps, wrong hours and splits, small enough to keep."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.instant import MINUTE, Instant, Micros
from app.domain.session import Session
from app.domain.tape_search import Integers
from app.tapes.profile import REACH

SPAN = 40 * 60 * MINUTE
"""From `REACH` before the open to 28 h after it: a day and its evening, or a whole day and more."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Volume and rows in bins of `length` from `begins_at`; prices in the tape's units.

    `volume` is that inside of the session, `outside` that of the rows around it.
    """

    session: Session
    begins_at: Instant
    length: Micros
    rows: Integers
    volumes: Integers
    open: int
    high: int
    low: int
    close: int
    volume: int
    outside: int
    outside_rows: int

    @property
    def inside(self) -> slice:
        """The bins of the session."""
        low = (self.session.opens_at - self.begins_at) // self.length
        return slice(low, low + -(-self.session.length // self.length))


def sketch_of(
    session: Session,
    at: Integers,
    prices: Sequence[Integers],
    size: Integers,
    length: Micros,
) -> Sketch:
    """`prices` are open, high, low, close of each row (of a trade: four times its price)."""
    length = max(length, MINUTE)
    begins = session.opens_at - REACH // length * length
    bins = SPAN // length
    place = (at - begins) // length
    near = (place >= 0) & (place < bins)
    inside = (at >= session.opens_at) & (at < session.closes_at)
    traded = inside if inside.any() else np.zeros(len(at), dtype=np.bool_)
    opens, highs, lows, closes = (column[traded] for column in prices)
    some = len(opens) > 0
    return Sketch(
        session=session,
        begins_at=begins,
        length=length,
        rows=np.bincount(place[near], minlength=bins),
        volumes=_sums(place[near], size[near], bins),
        open=int(opens[0]) if some else 0,
        high=int(highs.max()) if some else 0,
        low=int(lows.min()) if some else 0,
        close=int(closes[-1]) if some else 0,
        volume=int(size[inside].sum()),
        outside=int(size[~inside].sum()),
        outside_rows=int((~inside).sum()),
    )


def _sums(place: Integers, size: Integers, bins: int) -> Integers:
    totals = np.zeros(bins, dtype=np.int64)
    np.add.at(totals, place, size)
    return totals
