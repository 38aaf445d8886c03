"""The stop that rests at the broker with an exit's child: it holds while nobody of ours is there.

One child, two ways to fill: at its limit, or, once the stop is reached, at whatever the stop's own
limit allows. Where the order has no limit price, its child is the stop alone.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.desk import Desk
from app.domain.execution import Child, Execution
from app.domain.exits import is_forced
from app.domain.placement import rests_freely
from app.domain.plan import Envelope
from app.domain.quantity import is_multiple, passive_tick
from app.domain.task import Task


@dataclass(frozen=True, slots=True)
class Stop:
    """`price` sets it off, and it then trades at `limit` or better."""

    price: Decimal
    limit: Decimal


def stop_to_rest(execution: Execution, desk: Desk) -> Stop | None:
    """The stop that a child sent now carries. Once the broker refused one of this order, the rest
    of it goes out plainly."""
    return None if execution.stop_refused else _stop(execution.task, desk)


def resting_stop(execution: Execution, envelope: Envelope, desk: Desk) -> Envelope:
    """An exit that waits for its stop alone waits at the broker, with all it has."""
    task = execution.task
    if task.limit_price is not None or stop_to_rest(execution, desk) is None:
        return envelope
    return replace(envelope, may=task.qty)


def misplaced_stops(execution: Execution, desk: Desk) -> list[Child]:
    """Resting children of an exit whose stop is none any more, another one, or missing. After a
    refusal those that have theirs keep it."""
    task = execution.task
    if task.params.get("stop") is None or is_forced(task):
        return []
    meant, missing = _stop(task, desk), stop_to_rest(execution, desk) is not None
    price = meant.price if meant is not None else None
    return [
        child
        for child in execution.children
        if rests_freely(child)
        and child.stop_price != price
        and (child.stop_price is not None or missing)
    ]


def _stop(task: Task, desk: Desk) -> Stop | None:
    """Brokers hold such an order for the day, in regular hours, in whole shares alone."""
    stop = task.params.get("stop")
    if stop is None or is_forced(task) or not desk.stops:
        return None
    instrument = task.instrument
    pair, whole = "/" in instrument.symbol, is_multiple(instrument.lot, Decimal(1))
    if pair or not whole or task.extended_hours:
        return None
    # Never set off by a touch that is not yet at the stop, and never outside the collar around it.
    price = passive_tick(stop, instrument.tick, task.side.other)
    furthest = price * (1 + task.side.sign * task.policy.collar)
    limit = passive_tick(furthest, instrument.tick, task.side)
    return Stop(price, limit) if limit > 0 else None
