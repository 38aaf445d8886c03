"""Plans: what may be done from a moment on, and by when it must be.

Most are staircases in time; one that follows the market's volume is any other `Trajectory`.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Protocol

from app.domain.instant import Instant, Micros
from app.domain.market import Market
from app.domain.quantity import ZERO
from app.domain.trigger import Trigger

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
    `triggers` are market conditions at which it changes as well. `resting` is the time of the slice
    that is due next, where it has begun: since when it may rest, and when it has to cross.
    """

    must: Decimal
    may: Decimal
    next_at: Instant | None
    step: Decimal
    triggers: tuple[Trigger, ...] = ()
    resting: tuple[Instant, Instant] | None = None


class Trajectory(Protocol):
    """What a plan answers. `spreads`: being late by more than CATCH_UP_SLICES typical slices, the
    rest is planned anew from now instead of being sent at once."""

    @property
    def done(self) -> Decimal:
        """What was filled when the plan was made."""
        ...

    @property
    def largest(self) -> Decimal:
        """The size of a typical slice."""
        ...

    @property
    def spreads(self) -> bool: ...

    @property
    def steps(self) -> tuple[Step, ...]:
        """The slices known beforehand; none where the market's volume decides."""
        ...

    def envelope(self, now: Instant, market: Market) -> Envelope: ...


_NEVER = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Plan:
    """A staircase that starts from `done` and sums to the parent quantity.

    `interval` is the length of one slice, from which patience and catching up are measured.
    Slice k may rest from `may_at[k]`, up to `may[k]` in all, and may cross from `due_at[k]`; the
    other stair is the same slices in the order in which they are due. Moments are kept as plain
    numbers: ten thousand orders have a plan each.
    """

    done: Decimal
    interval: Micros
    may_at: "array[int]"
    may: tuple[Decimal, ...]
    due_at: "array[int]"
    must_at: "array[int]"
    must: tuple[Decimal, ...]
    largest: Decimal

    @property
    def spreads(self) -> bool:
        return len(self.may_at) > 1

    @property
    def steps(self) -> tuple[Step, ...]:
        """The slices, in the order in which they may begin."""
        before = (self.done, *self.may)
        return tuple(
            Step(at, None if due == _NEVER else due, after - earlier)
            for at, due, earlier, after in zip(
                self.may_at, self.due_at, before, self.may, strict=False
            )
        )

    def envelope(self, now: Instant, market: Market) -> Envelope:
        """The two stairs at `now`. Both never fall, and `must` never passes `may`."""
        i = bisect_right(self.may_at, now)
        j = bisect_right(self.must_at, now)
        may_at = self.may_at[i] if i < len(self.may_at) else None
        must_at = self.must_at[j] if j < len(self.must_at) else None
        return Envelope(
            must=self.must[j - 1] if j else self.done,
            may=self.may[i - 1] if i else self.done,
            next_at=_sooner(may_at, must_at),
            step=self.largest,
            resting=self._resting(j, now),
        )

    def _resting(self, j: int, now: Instant) -> tuple[Instant, Instant] | None:
        if j >= len(self.must_at):
            return None
        due = self.must_at[j]
        begun = self.may_at[j if self.must_at is self.due_at else self.due_at.index(due)]
        return (begun, due) if begun <= now else None


def _sooner(one: Instant | None, other: Instant | None) -> Instant | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def staircase(steps: Sequence[Step], *, done: Decimal, interval: Micros) -> Plan:
    """A plan from slices in any order; empty ones are left out."""
    trading = sorted((step for step in steps if step.qty > 0), key=lambda step: step.at)
    may = tuple(accumulate((step.qty for step in trading), initial=done))[1:]
    due_at = array("q", (_NEVER if s.due_at is None else s.due_at for s in trading))
    due = sorted(
        ((step.due_at, step.qty) for step in trading if step.due_at is not None),
        key=lambda pair: pair[0],
    )
    must_at = array("q", (at for at, _ in due))
    must = tuple(accumulate((qty for _, qty in due), initial=done))[1:]
    # Mostly slices are due in the order in which they begin: one stair serves for both.
    return Plan(
        done=done,
        interval=interval,
        may_at=array("q", (step.at for step in trading)),
        may=may,
        due_at=due_at,
        must_at=due_at if due_at == must_at else must_at,
        must=may if may == must else must,
        largest=max((step.qty for step in trading), default=ZERO),
    )
