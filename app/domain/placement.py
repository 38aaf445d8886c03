"""Where children rest, and when they are moved.

A child that rests is moved only towards the market: never back. What decides is the near touch,
which it follows, and its slice's time, which lets it step towards the far one.

A real feed shows our own child as the near touch once nobody stands before it, and shows it for a
while after it has left. So the steps of one slice are a ladder that begins at the touch where its
first child was put: the next step is counted from the last child, not from a touch that may be
ours, and only a touch beyond that child is somebody else's for certain.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.algorithm import Placement
from app.domain.algos import BY_NAME
from app.domain.execution import Child, Rung
from app.domain.fact import Purpose
from app.domain.instant import SECOND, Instant, Micros
from app.domain.market import Quote
from app.domain.plan import Envelope
from app.domain.quantity import ZERO, Side, passive_tick
from app.domain.task import Task
from app.domain.trigger import MixReaches, Trigger

FOLLOWING = (Placement.PEG, Placement.STEP_UP)


@dataclass(frozen=True, slots=True)
class Repricing:
    """Children that stand too far away, and what makes the others do so: a moment or a trigger."""

    children: tuple[Child, ...] = ()
    until: Instant | None = None
    triggers: tuple[Trigger, ...] = ()


def placement_of(task: Task) -> Placement:
    """The order's own wish, else its algorithm's way."""
    given = task.params.get("placement")
    return Placement(given) if given is not None else BY_NAME[task.algo].placement


def shown_of(task: Task) -> Decimal | None:
    """How much of the order may be seen resting at a time; None: all of it."""
    given = task.params.get("display")
    if given is not None:
        return Decimal(given)
    share = BY_NAME[task.algo].shows
    return task.qty * share if share is not None else None


def resting_price(
    task: Task, rung: Rung | None, envelope: Envelope, quote: Quote, now: Instant
) -> Decimal:
    """Where a child that rests from now on stands, on the tick grid, never beyond the limit.
    `rung` is the order's last resting child."""
    placement, limit = placement_of(task), task.limit_price
    if placement is Placement.AT_LIMIT:
        assert limit is not None, "checked at admission"
        return passive_tick(limit, task.instrument.tick, task.side)
    price = quote.near(task.side)
    if placement is Placement.STEP_UP:
        price = _stepped(task, rung, envelope, quote, now)
    if limit is not None:
        price = min(price, limit) if task.side is Side.BUY else max(price, limit)
    return passive_tick(price, task.instrument.tick, task.side)


def misplaced(task: Task, children: tuple[Child, ...]) -> list[tuple[Child, str]]:
    """Children that the order, amended, no longer allows where they are or as large as they are,
    each with what forbids it."""
    beyond = [(child, "limit_price") for child in _beyond(task, children)]
    return beyond or [(child, "display") for child in _oversized(task, children)]


def _oversized(task: Task, children: tuple[Child, ...]) -> list[Child]:
    """Resting children of which more is seen than may be."""
    shown = shown_of(task)
    if shown is None:
        return []
    least = max(task.params.get("min_child") or ZERO, task.instrument.min_qty, task.instrument.lot)
    return [c for c in children if c.purpose is Purpose.REST and c.leaves > max(shown, least)]


def _beyond(task: Task, children: tuple[Child, ...]) -> list[Child]:
    """Children in a book or an auction beyond the limit price, or behind it that stand at it."""
    limit = task.limit_price
    if limit is None:
        return []
    proper = passive_tick(limit, task.instrument.tick, task.side)
    at_limit = placement_of(task) is Placement.AT_LIMIT
    return [
        c
        for c in children
        if c.purpose is not Purpose.CROSS
        and (
            task.side.sign * (c.price - limit) > 0
            or (at_limit and c.purpose is Purpose.REST and c.price != proper)
        )
    ]


def follows(task: Task) -> bool:
    """Whether its children are moved when the market moves."""
    return placement_of(task) in FOLLOWING


def repricing(
    task: Task,
    children: tuple[Child, ...],
    envelope: Envelope,
    quote: Quote,
    now: Instant,
    least: Micros = 0,
) -> Repricing:
    """Which of the resting `children` of a following order are to be moved now, in an uncrossed
    market. `least` is how long each stands at least, whatever the order says."""
    found: list[Child] = []
    moments: list[Instant] = []
    triggers: list[Trigger] = []
    pause = max(int(task.params["reprice_pause"] * SECOND), least)
    level = _level(task, envelope, now)
    if children and (steps_at := _next_level_at(task, envelope, now)) is not None:
        moments.append(steps_at)
    for child in children:
        better = child.price + task.side.sign * task.instrument.tick
        if _beyond_limit(task, better):
            continue
        waits = [
            next((condition for condition in way if not _holds(condition, quote)), None)
            for way in _ways(task, envelope, child, better, level)
        ]
        if None not in waits:
            triggers += [condition for condition in waits if condition is not None]
        elif now >= child.intended_at + pause:
            found.append(child)
        else:
            moments.append(child.intended_at + pause)
    return Repricing(tuple(found), min(moments, default=None), tuple(triggers))


def rests_freely(child: Child) -> bool:
    """Found at the broker, resting, and not yet on its way out."""
    return child.purpose is Purpose.REST and cancelable(child)


def cancelable(child: Child) -> bool:
    """An unknown child has to be found before it can be canceled."""
    return child.found and child.cancel_requested_at is None


def _stepped(
    task: Task, rung: Rung | None, envelope: Envelope, quote: Quote, now: Instant
) -> Decimal:
    """The price of the step that the slice has come to."""
    near, far = quote.near(task.side), quote.far(task.side)
    whole, part = _steps(task), _level(task, envelope, now)
    price = (near * (whole - part) + far * part) / whole
    if rung is None or envelope.resting is None or rung.at < envelope.resting[0]:
        return price
    if task.side.sign * (near - rung.price) > 0:
        return price
    begun = _level(task, envelope, rung.at)
    ladder = (rung.price * (whole - part) + far * (part - begun)) / (whole - begun)
    return min(price, ladder) if task.side is Side.BUY else max(price, ladder)


def _ways(
    task: Task, envelope: Envelope, child: Child, better: Decimal, level: int
) -> tuple[tuple[MixReaches, ...], ...]:
    """The near touch has left the child behind; or, a step later, so has the point of its step,
    counted from the touch and from the child. Each way needs all of its conditions."""
    followed = (MixReaches(task.side, 0, 1, better),)
    begun = _level(task, envelope, child.intended_at)
    if level <= begun:
        return (followed,)
    whole = _steps(task)
    far = (better * (whole - begun) - child.price * (whole - level)) / (level - begun)
    stepped = (MixReaches(task.side, level, whole, better), MixReaches(task.side, 1, 1, far))
    return followed, stepped


def _holds(condition: MixReaches, quote: Quote) -> bool:
    side, part, whole = condition.side, condition.part, condition.whole
    mixed = quote.near(side) * (whole - part) + quote.far(side) * part
    return side.sign * (mixed - condition.price * whole) >= 0


def _beyond_limit(task: Task, price: Decimal) -> bool:
    return task.limit_price is not None and task.side.sign * (price - task.limit_price) > 0


def _steps(task: Task) -> int:
    return int(task.params["steps"])


def _level(task: Task, envelope: Envelope, at: Instant) -> int:
    """How many steps the slice has taken at a moment."""
    if placement_of(task) is not Placement.STEP_UP or envelope.resting is None:
        return 0
    begun, due = envelope.resting
    steps = _steps(task)
    # Step k begins at begun + (due − begun)·k // steps: found from above, then made exact.
    level = min(max((at - begun) * steps // max(due - begun, 1), 0), steps - 1)
    while level + 1 < steps and begun + (due - begun) * (level + 1) // steps <= at:
        level += 1
    return level


def _next_level_at(task: Task, envelope: Envelope, now: Instant) -> Instant | None:
    if placement_of(task) is not Placement.STEP_UP or envelope.resting is None:
        return None
    begun, due = envelope.resting
    following = _level(task, envelope, now) + 1
    if following >= _steps(task):
        return None
    return begun + (due - begun) * following // _steps(task)
