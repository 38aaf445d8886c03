"""Percentage of volume: own volume is a fixed share of all that trades, own included.

The target is rate / (1 − rate) times what others traded since the plan's anchor (POV arithmetic:
10 % of the whole is 11.11 % of the others). Children come when it has grown by one child, so that
the share is never passed; resting ones are crossed when it has grown by another. A jump of more
than CATCH_UP_SLICES children, a block print, is not chased: the rest is planned anew from there.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain import chance
from app.domain.algorithm import Algorithm, Kind, Parameter, Placement
from app.domain.instant import Instant
from app.domain.market import Anchored, Market
from app.domain.parameters import (
    DISPLAY,
    PLACEMENT,
    REPRICE_PAUSE,
    WOULD_PRICE,
    Completion,
    completion,
)
from app.domain.plan import Envelope, Step, Trajectory
from app.domain.quantity import ZERO, floor_to
from app.domain.scheduling import SIZED_PARAMETERS, finishing, lot_of
from app.domain.task import Anchor, Task, Urgency
from app.domain.trigger import VolumeReaches

CHILDREN = 50
"""An order is cut into so many children, unless it says how large one is."""

LAGS = {Urgency.LOW: 2, Urgency.NORMAL: 1, Urgency.HIGH: 1, Urgency.IMMEDIATE: 0}
"""How many children may rest before the oldest has to cross."""

PLACED = replace(
    PLACEMENT,
    doc="cross: take the far touch at once. rest_then_cross and peg rest first, and cross what is a"
    " child behind (urgency low: two, immediate: none).",
    choices=(Placement.CROSS.value, Placement.REST_THEN_CROSS.value, Placement.PEG.value),
)


@dataclass(frozen=True, slots=True)
class Participation:
    """A trajectory along the market's volume, in steps of a child."""

    task: Task
    done: Decimal
    since: Instant
    child: Decimal
    lag: int

    @property
    def largest(self) -> Decimal:
        return self.child

    @property
    def spreads(self) -> bool:
        return True

    @property
    def steps(self) -> tuple[Step, ...]:
        return ()

    def envelope(self, now: Instant, market: Market) -> Envelope:
        """What the volume allows; both quantities stand still between two of its levels."""
        seen = market.anchored or Anchored()
        rate = Decimal(self.task.params["rate"])
        allowed = rate * seen.volume / (1 - rate)
        reached = self._children(allowed)
        left = self.task.qty - self.done
        may = left if allowed >= left else min(self._level(reached), left)
        must = min(self._level(reached - self.lag), left)
        upcoming = self._level(reached + 1)
        if may < left:
            upcoming = min(upcoming, left)
        # Multiplied before divided: then what is exact stays so.
        needed = upcoming * (1 - rate) / rate
        told = (needed + seen.own) * market.volume_coverage
        return Envelope(
            must=self.done + must,
            may=self.done + may,
            next_at=None,
            step=self.child,
            triggers=() if must >= left else (VolumeReaches(self.since, told),),
        )

    def _children(self, allowed: Decimal) -> int:
        """How many children the volume has brought."""
        count = int(allowed // self.child)
        # Uneven children come a little before or after their even place, in the same order.
        if self._level(count + 1) <= allowed:
            return count + 1
        return count if self._level(count) <= allowed else count - 1

    def _level(self, count: int) -> Decimal:
        """The quantity of the first `count` children, in whole lots."""
        if count <= 0:
            return ZERO
        reach = Decimal(self.task.params.get("size_jitter") or 0)
        moved = Decimal(chance.symmetric(self.task.seed, "child", count)) * reach if reach else ZERO
        return floor_to(self.child * (count + moved), lot_of(self.task))


def plan(task: Task, anchor: Anchor) -> Trajectory:
    """Along the volume from the anchor on; in time, when what is left is to be finished."""
    ending = finishing(task, anchor)
    if ending is not None:
        return ending
    lot = lot_of(task)
    least = max(task.params.get("min_child") or ZERO, task.instrument.min_qty, lot)
    child = task.params.get("child") or max(floor_to(task.qty / CHILDREN, lot), least)
    child = min(child, task.params.get("max_child") or child)
    crosses = task.params.get("placement") == Placement.CROSS
    return Participation(task, anchor.done, anchor.at, child, 0 if crosses else LAGS[task.urgency])


ALGORITHM = Algorithm(
    name="pov",
    title="POV",
    doc="Percentage of volume: trades along with the market at a rate, its own volume counted. It"
    " does not end by itself: what the market's volume does not bring is left, or finished in the"
    " last tenth of the window if `completion` says so.",
    version=1,
    plan=plan,
    windowed=True,
    parameters=(
        Parameter(
            "rate",
            Kind.DECIMAL,
            "Own share of all volume, own included, as a fraction: 0.1 is ten per cent.",
            default=Decimal("0.1"),
            minimum=Decimal("0.0001"),
            maximum=Decimal("0.9"),
            mutable=True,
        ),
        Parameter(
            "child",
            Kind.DECIMAL,
            "The quantity of one child. Default: a fiftieth of the order.",
            minimum=Decimal(0),
        ),
        PLACED,
        REPRICE_PAUSE,
        DISPLAY,
        WOULD_PRICE,
        *SIZED_PARAMETERS,
        completion(Completion.LEAVE),
    ),
    completes=False,
)
