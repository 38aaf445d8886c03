"""When an exit stops waiting for its price and crosses: at its stop, or before its window ends.

That it has to is a fact of the order: a price that comes back does not undo it, nor does a crash.
"""

from dataclasses import replace

from app.domain.actions import Decision, Force, Trip
from app.domain.execution import Execution
from app.domain.fact import ExitForced, StopHit
from app.domain.instant import SECOND, Instant
from app.domain.market import Market
from app.domain.quantity import Side
from app.domain.task import Task
from app.domain.trigger import PriceWithin

STOP, SESSION_END, REWARD_RISK = "stop", "session_end", "reward_risk"
REASONS = (STOP, SESSION_END, REWARD_RISK)
"""Why an exit crosses everything."""

_FURTHEST = 1_000
"""No touch lies so many times beyond a stop."""


def forced(task: Task, fact: StopHit | ExitForced) -> Task:
    """The order from here on: no price bounds it but the house's collar."""
    reason = STOP if isinstance(fact, StopHit) else fact.reason
    return task._replace(limit_price=None, params={**task.params, "forced": reason})


def is_forced(task: Task) -> bool:
    return task.params.get("forced") is not None


def tripped(execution: Execution, market: Market, now: Instant) -> Trip | Force | None:
    """What the market or the clock makes of an exit that still waits."""
    task = execution.task
    if is_forced(task):
        return None
    stop = _stop(task)
    if stop is not None and market.quote is not None:
        touch = market.quote.far(task.side)
        if stop.low <= touch <= stop.high:
            return Trip(touch)
    leaves_at = _leaves_at(task)
    return Force(SESSION_END) if leaves_at is not None and leaves_at <= now else None


def watching(execution: Execution, decision: Decision) -> Decision:
    """The decision, which waits for the stop and the end of the session as well."""
    task = execution.task
    if decision.actions or is_forced(task):
        return decision
    stop, leaves_at = _stop(task), _leaves_at(task)
    if stop is not None:
        decision = replace(decision, triggers=(*decision.triggers, stop))
    if leaves_at is not None and decision.look_at is not None:
        decision = replace(decision, look_at=min(decision.look_at, leaves_at))
    return decision


def _stop(task: Task) -> PriceWithin | None:
    """The touch that the exit would have to take is at the stop or beyond it."""
    stop = task.params.get("stop")
    if stop is None:
        return None
    if task.side is Side.SELL:
        return PriceWithin(task.side, task.instrument.tick, stop)
    return PriceWithin(task.side, stop, stop * _FURTHEST)


def _leaves_at(task: Task) -> Instant | None:
    before = task.params.get("close_before")
    return max(task.end - int(before * SECOND), task.start) if before is not None else None
