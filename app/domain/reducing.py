"""Orders that only reduce: never through zero, and over when nothing is left to reduce.

What the account holds is what its booked fills make of it. Whatever else may still fill on the
same side is counted as if it had: a child that leaves now must fit beside all of it.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from app.domain.actions import Decision, Send
from app.domain.desk import Desk
from app.domain.execution import Child, Execution
from app.domain.exits import is_forced
from app.domain.placement import cancelable
from app.domain.plan import Envelope
from app.domain.quantity import ZERO, floor_to
from app.domain.task import Task

GUARD = "reduce_only"


def reducible(execution: Execution, desk: Desk) -> Decimal:
    """How much of the account's position the order's side takes away; nothing, where nobody has
    told what the account holds."""
    task = execution.task
    held = desk.held if desk.held is not None else ZERO
    return floor_to(max(-task.side.sign * held, ZERO), task.instrument.lot)


def is_flat(execution: Execution, desk: Desk) -> bool:
    """Whether an order that only reduces has nothing left to do, whatever its quantity. Where
    others of the account hold against it, it waits until they do not."""
    known = execution.task.reduce_only and desk.held is not None
    return known and not desk.netted and reducible(execution, desk) <= 0


def within_position(execution: Execution, envelope: Envelope, desk: Desk) -> Envelope:
    """The envelope without what would take the position through zero."""
    if not execution.task.reduce_only:
        return envelope
    most = execution.filled + execution.reserved + max(_spare(execution, desk), ZERO)
    if envelope.may <= most:
        return envelope
    return replace(envelope, must=min(envelope.must, most), may=most)


def beyond_position(execution: Execution, desk: Desk) -> tuple[Child, ...]:
    """Children that must not stay where they are: the position shrank beneath what is out."""
    if not execution.task.reduce_only or _spare(execution, desk) >= 0:
        return ()
    return tuple(filter(cancelable, execution.children))


def given_way(exit_order: Execution, others: Iterable[Execution]) -> Decimal:
    """What an exit that waits for its price leaves to orders that somebody entered to reduce the
    same position: all they have not sent, unless its own price comes first. Once it has to cross it
    waits for nobody."""
    task = exit_order.task
    if is_forced(task):
        return ZERO
    return sum((o.unsent for o in others if _comes_first(o.task, task)), start=ZERO)


def _comes_first(task: Task, exit_task: Task) -> bool:
    if task.side is not exit_task.side or task.limit_price is None:
        return task.side is exit_task.side
    there = exit_task.limit_price
    return there is None or task.side.sign * (task.limit_price - there) >= 0


def named(execution: Execution, desk: Desk, decision: Decision) -> Decision:
    """The decision, which says so where the position bound it rather than the quantity."""
    spare = _spare(execution, desk)
    if not execution.task.reduce_only or spare >= execution.unsent:
        return decision
    sent = sum((a.qty for a in decision.actions if isinstance(a, Send)), start=ZERO)
    waits = not decision.actions and decision.bound is None and spare <= 0
    bound = waits or (sent > 0 and sent >= spare)
    return replace(decision, bound=GUARD) if bound else decision


def _spare(execution: Execution, desk: Desk) -> Decimal:
    """What is left of the position beside all that may still fill."""
    return reducible(execution, desk) - desk.reducing - execution.reserved
