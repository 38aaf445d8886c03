"""Staircase plans: what may be done from a moment on, and by when it must be."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from app.domain.instant import Instant, Micros
from app.domain.quantity import ZERO

CATCH_UP_SLICES = 2
"""A deficit of more slices than this is spread over the time that is left."""


@dataclass(frozen=True, slots=True)
class Step:
    """One slice: `qty` may rest from `at` and may cross from `due_at` (None: never)."""

    at: Instant
    due_at: Instant | None
    qty: Decimal


@dataclass(frozen=True, slots=True)
class Envelope:
    """How much must be done by now, how much may be, and when either next changes.

    `step` is the size of a typical slice: the unit in which caps move and catching up is bounded.
    """

    must: Decimal
    may: Decimal
    next_at: Instant | None
    step: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """A staircase that starts from `done` and sums to the parent quantity.

    `interval` is the length of one slice, from which patience and catching up are measured.
    """

    steps: tuple[Step, ...]
    done: Decimal
    interval: Micros
    may_at: tuple[Instant, ...]
    may: tuple[Decimal, ...]
    must_at: tuple[Instant, ...]
    must: tuple[Decimal, ...]
    largest: Decimal

    def envelope(self, now: Instant) -> Envelope:
        """The two stairs at `now`. Both never fall, and `must` never passes `may`."""
        i = bisect_right(self.may_at, now)
        j = bisect_right(self.must_at, now)
        upcoming = [*self.may_at[i : i + 1], *self.must_at[j : j + 1]]
        return Envelope(
            must=self.must[j - 1] if j else self.done,
            may=self.may[i - 1] if i else self.done,
            next_at=min(upcoming, default=None),
            step=self.largest,
        )


def staircase(steps: Sequence[Step], *, done: Decimal, interval: Micros) -> Plan:
    """A plan from slices in any order; empty ones are left out."""
    trading = [step for step in steps if step.qty > 0]
    may = sorted(trading, key=lambda step: step.at)
    due = sorted(
        ((step.due_at, step.qty) for step in trading if step.due_at is not None),
        key=lambda pair: pair[0],
    )
    return Plan(
        steps=tuple(may),
        done=done,
        interval=interval,
        may_at=tuple(step.at for step in may),
        may=tuple(accumulate((step.qty for step in may), initial=done))[1:],
        must_at=tuple(at for at, _ in due),
        must=tuple(accumulate((qty for _, qty in due), initial=done))[1:],
        largest=max((step.qty for step in trading), default=ZERO),
    )
