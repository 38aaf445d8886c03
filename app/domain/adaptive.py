"""A plan whose slices are weighed anew as the day's volume arrives."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal

from app.domain.forecast import Window
from app.domain.instant import Instant
from app.domain.market import Market
from app.domain.plan import Envelope, Plan, Step
from app.domain.quantity import ZERO, floor_to
from app.domain.scheduling import Slot, lot_of, uneven
from app.domain.task import Task


class Adaptive:
    """The slots and moments of a static plan; how much each brings is known when it begins.

    A slice's weight depends only on bins that are over when its slot starts, so both stairs are
    still between two of their moments, whatever the market does meanwhile. `static` is the plan
    without any word of the market: it says what a typical slice is, and what to expect.
    """

    def __init__(self, task: Task, static: Plan, slots: Sequence[Slot], steps: Sequence[Step]):
        self._task = task
        self._static = static
        self._window = Window(task.curve, task.session, [(s.start, s.end) for s in slots])
        self._uneven = [uneven(task, k, slot.start) for k, slot in enumerate(slots)]
        self._may_at = array("q", (step.at for step in steps))
        self._due_at = array("q", (step.due_at or step.at for step in steps))
        self._stairs: tuple[Decimal, ...] = ()
        self._known: tuple[float | None, ...] | None = None

    @property
    def done(self) -> Decimal:
        return self._static.done

    @property
    def largest(self) -> Decimal:
        return self._static.largest

    @property
    def spreads(self) -> bool:
        return len(self._may_at) > 1

    @property
    def steps(self) -> tuple[Step, ...]:
        """As far as nothing is known of the day: slices change as its volume arrives."""
        return self._static.steps

    def envelope(self, now: Instant, market: Market) -> Envelope:
        """The two stairs at `now`, over the slices that have begun and those that are due."""
        stairs = self._learn(market.profile)
        i, j = bisect_right(self._may_at, now), bisect_right(self._due_at, now)
        upcoming = [*self._may_at[i : i + 1], *self._due_at[j : j + 1]]
        return Envelope(
            must=stairs[j],
            may=stairs[i],
            next_at=min(upcoming, default=None),
            step=self.largest,
            resting=(self._may_at[j], self._due_at[j]) if j < i else None,
        )

    def _learn(self, profile: tuple[float | None, ...]) -> tuple[Decimal, ...]:
        """What may be done once so many slices have begun; kept until more is known."""
        if self._known == profile:
            return self._stairs
        weights = self._window.weights(profile)
        shares = [w * u for w, u in zip(weights, self._uneven, strict=True)]
        left, lot = self._task.qty - self.done, lot_of(self._task)
        stairs, reached, behind = [self.done], 0.0, 0.0
        for weight, share in zip(weights, shares, strict=True):
            # An uneven slice takes from the ones after it, so that what is final stays final.
            rest = 1.0 - behind
            part = min(share / rest, 1.0) if rest > 0 else 1.0
            reached += part * (1.0 - reached)
            behind += weight
            exact = Decimal(min(reached, 1.0)) * left + lot / 2
            stairs.append(max(self.done + floor_to(exact, lot), stairs[-1]))
        stairs[-1] = max(self._task.qty, self.done, ZERO)
        self._known, self._stairs = profile, tuple(min(s, self._task.qty) for s in stairs)
        return self._stairs
