"""What all scheduled algorithms share: slots into slices, chance, patience."""

from collections.abc import Callable
from decimal import Decimal
from math import ceil

from app.domain import chance
from app.domain.algorithm import (
    MAX_CHILD,
    MIN_CHILD,
    PATIENCE,
    PLACEMENT,
    SEED,
    SLICE_LOT,
    Kind,
    Parameter,
    Placement,
    slots_between,
)
from app.domain.instant import SECOND, Instant, Micros
from app.domain.plan import CATCH_UP_SLICES, Plan, Step, staircase
from app.domain.quantity import ZERO, split
from app.domain.task import Anchor, Task

JITTER = Parameter(
    "jitter",
    Kind.SECONDS,
    "Each slice moves by up to this much either way, half a slice's time at most.",
    default=30,
    minimum=0,
    maximum=3600,
)

SCHEDULED_PARAMETERS = (JITTER, PLACEMENT, PATIENCE, SLICE_LOT, MIN_CHILD, MAX_CHILD, SEED)
"""What every algorithm with a schedule takes, beside what is its own."""

PATIENCE_MAX: Micros = 60 * SECOND


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
    interval = max((task.end - task.start) // count, 1)
    left = max(task.end - anchor.at, 1)
    remaining = max(_in_time(left, interval, count), _catching_up(task, anchor, left, count))
    slots = slots_between(anchor.at, anchor.at + left, remaining, weigh)
    weights = [slot.weight for slot in slots]
    if sum(weights) <= 0:
        weights = [1.0] * len(slots)
    sizes = split(
        task.qty - anchor.done,
        weights,
        lot=max(task.instrument.lot, _lot(task)),
        minimum=max(task.instrument.min_qty, task.params.get("min_child") or ZERO),
    )
    steps = [
        _step(task, k, slot.start, slot.end, size)
        for k, (slot, size) in enumerate(zip(slots, sizes, strict=True))
    ]
    return staircase(steps, done=anchor.done, interval=interval)


def _in_time(left: Micros, interval: Micros, count: int) -> int:
    return min(max(round(left / interval), 1), count)


def _catching_up(task: Task, anchor: Anchor, left: Micros, count: int) -> int:
    # No closer than a second: what is that late goes out at once.
    needed = ceil((task.qty - anchor.done) * count / (CATCH_UP_SLICES * task.qty))
    return min(needed, left // SECOND)


def _lot(task: Task) -> Decimal:
    return task.params.get("lot") or task.instrument.lot


def _step(task: Task, k: int, start: Instant, end: Instant, qty: Decimal) -> Step:
    length = end - start
    reach = min(int(task.params.get("jitter", ZERO) * SECOND), length // 2)
    # The nominal time sits `reach` into the slot, so that the draw has room on both sides.
    draw = chance.symmetric(task.seed, k, start)
    at = start + reach + int(draw * reach)
    return Step(at, min(at + _patience(task, length), max(end - length // 10, at)), qty)


def _patience(task: Task, length: Micros) -> Micros:
    if task.params.get("placement") == Placement.CROSS:
        return 0
    given = task.params.get("patience")
    return int(given * SECOND) if given is not None else min(length // 2, PATIENCE_MAX)
