"""What all scheduled algorithms share: slots into slices, chance, patience."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from math import ceil

from app.domain import chance
from app.domain.algorithm import Kind, Parameter, Placement
from app.domain.instant import SECOND, Instant, Micros
from app.domain.parameters import (
    DISPLAY,
    MAX_CHILD,
    MIN_CHILD,
    PATIENCE,
    PLACEMENT,
    REPRICE_PAUSE,
    SEED,
    SIZE_JITTER,
    SLICE_LOT,
    STEPS,
    WOULD_PRICE,
    Completion,
    completion,
)
from app.domain.plan import CATCH_UP_SLICES, Plan, Step, staircase
from app.domain.quantity import ZERO, split
from app.domain.task import Anchor, Task, Urgency

JITTER = Parameter(
    "jitter",
    Kind.SECONDS,
    "Each slice moves by up to this much either way, half a slice's time at most.",
    default=30,
    minimum=0,
    maximum=3600,
)

PLACED_PARAMETERS = (PLACEMENT, PATIENCE, STEPS, REPRICE_PAUSE, DISPLAY, WOULD_PRICE)
"""How children stand in the market."""


def preferring(placement: Placement) -> tuple[Parameter, ...]:
    """The same, with another placement unless the order says so."""
    return (replace(PLACEMENT, default=placement.value), *PLACED_PARAMETERS[1:])


SIZED_PARAMETERS = (SLICE_LOT, MIN_CHILD, MAX_CHILD, SIZE_JITTER, SEED)
"""How large they are."""

SCHEDULED_PARAMETERS = (
    JITTER,
    *PLACED_PARAMETERS,
    *SIZED_PARAMETERS,
    completion(Completion.FINISH),
)
"""What every algorithm with a schedule takes, beside what is its own."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of the window that one slice belongs to, with its weight."""

    start: Instant
    end: Instant
    weight: float


PATIENCE_MAX: Micros = 60 * SECOND

PATIENCE_SHARES: Mapping[Urgency, tuple[int, int]] = {
    Urgency.LOW: (4, 5),
    Urgency.NORMAL: (1, 2),
    Urgency.HIGH: (1, 5),
    Urgency.IMMEDIATE: (0, 1),
}
"""How much of its time a slice rests, as numerator and denominator."""

FINISHING = 10
"""The last tenth of the window, in which a plan that follows the market comes to an end."""

FINISHING_SLICES = 10


def whole(task: Task, anchor: Anchor, *, due_at: Instant | None) -> Plan:
    """One slice: all that is left, from the anchor on; due at a moment, or never."""
    step = Step(anchor.at, due_at, task.qty - anchor.done)
    return staircase([step], done=anchor.done, interval=max(task.end - anchor.at, 1))


def finish_at(task: Task) -> Instant:
    """When an order whose plan does not end by itself begins to finish."""
    return task.end - (task.end - task.start) // FINISHING


def finishes(task: Task) -> bool:
    """Whether what is left is to be done by the end of the window."""
    return bool(task.params.get("completion") == Completion.FINISH)


def finishing(task: Task, anchor: Anchor) -> Plan | None:
    """The plan by which an order finishes that else follows the market; None before its time."""
    if not finishes(task) or anchor.at < finish_at(task):
        return None
    count = FINISHING * FINISHING_SLICES
    return scheduled(task, anchor, count=count, weigh=lambda a, b: 1.0)


def scheduled(
    task: Task,
    anchor: Anchor,
    *,
    count: int,
    weigh: Callable[[Instant, Instant], float],
) -> Plan:
    """A staircase of `count` slices over the whole window, weighed by `weigh(start, end)`.

    From a later anchor the slices keep their length, so fewer are left; their sizes are the
    weights of the time that is left. Where that would make them larger than catching up may
    send, there are more of them, closer together. Slice times are the slots' starts, moved by a
    bounded, mean-preserving draw seeded by the order.
    """
    slots, steps = laid_out(task, anchor, count=count, weigh=weigh)
    weights = [slot.weight * uneven(task, k, slot.start) for k, slot in enumerate(slots)]
    if sum(weights) <= 0:
        weights = [1.0] * len(slots)
    sizes = split(
        task.qty - anchor.done,
        weights,
        lot=lot_of(task),
        minimum=max(task.instrument.min_qty, task.params.get("min_child") or ZERO),
    )
    sized = [replace(step, qty=size) for step, size in zip(steps, sizes, strict=True)]
    return staircase(sized, done=anchor.done, interval=_interval(task, count))


def laid_out(
    task: Task,
    anchor: Anchor,
    *,
    count: int,
    weigh: Callable[[Instant, Instant], float],
) -> tuple[Sequence[Slot], Sequence[Step]]:
    """The slots of what is left of the window, and when the slice of each begins and is due."""
    left = max(task.end - anchor.at, 1)
    in_time = _in_time(left, _interval(task, count), count)
    remaining = max(in_time, _catching_up(task, anchor, left, count))
    slots = _slots_between(anchor.at, anchor.at + left, remaining, weigh)
    return slots, [_step(task, k, slot.start, slot.end) for k, slot in enumerate(slots)]


def _interval(task: Task, count: int) -> Micros:
    return max((task.end - task.start) // count, 1)


def _in_time(left: Micros, interval: Micros, count: int) -> int:
    return min(max(round(left / interval), 1), count)


def _catching_up(task: Task, anchor: Anchor, left: Micros, count: int) -> int:
    # No closer than a second: what is that late goes out at once.
    needed = ceil((task.qty - anchor.done) * count / (CATCH_UP_SLICES * task.qty))
    return min(needed, left // SECOND)


def lot_of(task: Task) -> Decimal:
    """Slices are whole multiples of this."""
    return max(task.instrument.lot, task.params.get("lot") or ZERO)


def _step(task: Task, k: int, start: Instant, end: Instant) -> Step:
    length = end - start
    reach = min(int(task.params.get("jitter", ZERO) * SECOND), length // 2)
    # The nominal time sits `reach` into the slot, so that the draw has room on both sides.
    draw = chance.symmetric(task.seed, k, start)
    at = start + reach + int(draw * reach)
    latest = end - length // 10 if finishes(task) or end < task.end else end
    return Step(at, min(at + patience(task, length), max(latest, at)), ZERO)


def patience(task: Task, length: Micros) -> Micros:
    """How long a slice of this length rests before it crosses."""
    if task.params.get("placement") == Placement.CROSS:
        return 0
    given = task.params.get("patience")
    if given is not None:
        return int(given * SECOND)
    part, whole = PATIENCE_SHARES[task.urgency]
    return min(length * part // whole, PATIENCE_MAX)


def uneven(task: Task, *place: int) -> float:
    """A factor around 1 for the size of what is cut at a place, drawn by the order's seed."""
    reach = float(task.params.get("size_jitter") or 0)
    return 1.0 + reach * chance.symmetric(task.seed, "size", *place) if reach else 1.0


def smaller(task: Task, *place: int) -> Decimal:
    """The same for what must not be larger: a factor of 1 at most."""
    reach = Decimal(task.params.get("size_jitter") or 0)
    return Decimal(1) - reach / 2 + (Decimal(uneven(task, *place)) - 1) / 2


def _slots_between(
    start: Instant, end: Instant, count: int, weigh: Callable[[Instant, Instant], float]
) -> Sequence[Slot]:
    """`count` equal stretches of [start, end), each weighed."""
    edges = [start + (end - start) * k // count for k in range(count + 1)]
    return [Slot(a, b, weigh(a, b)) for a, b in pairwise(edges)]
