"""When an order that follows the market's volume may be expected to trade: an estimate, no plan."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from app.domain.algos import BY_NAME
from app.domain.instant import Instant
from app.domain.market import Anchored, Market
from app.domain.parameters import Completion
from app.domain.plan import Step, Trajectory
from app.domain.quantity import ZERO, ceil_to
from app.domain.scheduling import finish_at, finishes, lot_of
from app.domain.task import Anchor, Task
from app.domain.trigger import VolumeReaches

RATE = "rate"
"""The parameter of an algorithm whose own volume is a share of all."""

STEPS_MAX = 200
"""Smaller children are told several at a time."""

KNOTS = 512

Reached = Callable[[Decimal], Instant | None]
"""When others have traded so much since the start; None: not within the window."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the plan said once others had traded so much."""

    at: Instant
    may: Decimal
    must: Decimal


def follows_volume(task: Task) -> bool:
    """Whether the market's volume decides when the order trades, so that no slice is planned."""
    return RATE in task.params


def expected_steps(task: Task, daily_volume: Decimal | None) -> tuple[Step, ...]:
    """The children that a usual day would bring: its volume curve times its daily volume is taken
    as what others trade, and the order's own plan is asked along it.

    Empty for an order whose slices are planned, or without a daily volume.
    """
    if not follows_volume(task) or daily_volume is None or daily_volume <= 0:
        return ()
    told = _told(task)
    until = finish_at(task) if finishes(task) else task.end
    plan = BY_NAME[task.algo].plan(told, Anchor(task.start, ZERO))
    steps = _steps(_walk(plan, task.start, _reached(told, daily_volume, until)))
    if not finishes(task):
        return steps
    done = sum((step.qty for step in steps), ZERO)
    if done >= task.qty:
        return steps
    return (*steps, *BY_NAME[task.algo].plan(task, Anchor(until, done)).steps)


def _told(task: Task) -> Task:
    """The same order with no more children than are told, at the rate that its cap leaves."""
    rate, cap = task.params[RATE], task.max_participation
    least = ceil_to(task.qty / STEPS_MAX, lot_of(task))
    usual = BY_NAME[task.algo].plan(task, Anchor(task.start, ZERO)).largest
    params = {name: value for name, value in task.params.items() if name != "max_child"}
    params |= {RATE: rate if cap is None else min(rate, cap), "completion": Completion.LEAVE.value}
    params["child"] = max(usual, least)
    return task._replace(params=params)


def _reached(task: Task, daily_volume: Decimal, until: Instant) -> Reached:
    moments = np.linspace(task.start, until, KNOTS)
    day = float(daily_volume)
    volumes = np.maximum.accumulate(
        [task.curve.between(task.session, task.start, int(at)) * day for at in moments]
    )

    def reached(volume: Decimal) -> Instant | None:
        wanted = float(volume)
        return None if wanted > volumes[-1] else int(np.interp(wanted, volumes, moments))

    return reached


def _walk(plan: Trajectory, start: Instant, reached: Reached) -> list[_Seen]:
    """From one level of the plan to the next, as far as the volume comes."""
    found: list[_Seen] = []
    at: Instant | None = start
    volume = ZERO
    while at is not None:
        envelope = plan.envelope(at, Market(None, volume=volume, anchored=Anchored(volume)))
        found.append(_Seen(at, envelope.may, envelope.must))
        levels = [t.volume for t in envelope.triggers if isinstance(t, VolumeReaches)]
        if not levels or levels[0] <= volume:
            break
        volume = levels[0]
        at = reached(volume)
    return found


def _steps(seen: list[_Seen]) -> tuple[Step, ...]:
    """Each child from when it may rest, and when it has to cross; None: not within the window."""
    steps, before, due = [], ZERO, 0
    for one in seen:
        if one.may <= before:
            continue
        while due < len(seen) and seen[due].must < one.may:
            due += 1
        due_at = seen[due].at if due < len(seen) else None
        steps.append(Step(one.at, due_at, one.may - before))
        before = one.may
    return tuple(steps)
