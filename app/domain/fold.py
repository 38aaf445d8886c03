"""The fold of facts into the state of an order.

`apply(execution, fact)` is the only way the state changes: in the engine, in the store's
transactions and in virtual time alike.
"""

from dataclasses import replace

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.execution import Child, Execution
from app.domain.exits import forced
from app.domain.fact import (
    Adopted,
    Amended,
    CancelRequested,
    ExitForced,
    Fact,
    Intended,
    Moved,
    Paused,
    Replanned,
    Resumed,
    StopHit,
)
from app.domain.fold_births import adopted, adopted_child, intended
from app.domain.fold_children import apply_to_child
from app.domain.instant import Instant
from app.domain.lifecycle import ORDER_DONE, move_order
from app.domain.quantity import ZERO
from app.domain.reservation import check
from app.domain.task import Anchor, Task

__all__ = ["adopted_child", "apply", "apply_to_child"]


def apply(execution: Execution, fact: Fact, child: Child | None = None) -> Execution:
    """The state after `fact`.

    `child` is the child the fact speaks of; it may be left out when it is among the live ones.
    A finished child must be handed in, since late fills are legal and always counted.
    """
    match fact:
        case Moved():
            after = _moved(execution, fact)
        case Paused():
            after = replace(execution, pause_requested=True)
        case Resumed():
            after = replace(
                execution,
                pause_requested=False,
                anchor=_anchor(execution, execution.task, fact.at),
            )
        case CancelRequested():
            after = replace(execution, cancel_reason=execution.cancel_reason or fact.reason)
        case Amended():
            after = _amended(execution, fact)
        case Replanned():
            after = replace(execution, anchor=Anchor(fact.at, fact.done))
        case StopHit() | ExitForced():
            task = forced(execution.task, fact)
            after = replace(execution, task=task, anchor=_anchor(execution, task, fact.at))
        case Intended():
            after = intended(execution, fact)
        case Adopted():
            after = adopted(execution, fact)
        case _:
            # Checked there.
            return apply_to_child(execution, fact, child)[0]
    check(after)
    return after


def _moved(execution: Execution, fact: Moved) -> Execution:
    status = move_order(execution.task.order_id, execution.status, fact.status)
    after = replace(execution, status=status, reason=fact.reason)
    if status in ORDER_DONE:
        assert execution.reserved == 0, "an order ends only when every child has evidence"
        # What was reserved beyond the order's quantity and never filled was no excess after all.
        excess = max(after.filled - after.task.qty, ZERO)
        after = replace(after, excess=excess, canceled=after.task.qty + excess - after.filled)
    return after


def _amended(execution: Execution, fact: Amended) -> Execution:
    task = execution.task
    changed = task._replace(
        qty=fact.qty if fact.qty is not None else task.qty,
        limit_price=fact.limit_price if fact.limit_price is not None else task.limit_price,
        end=fact.end if fact.end is not None else task.end,
        max_participation=fact.max_participation
        if fact.max_participation is not None
        else task.max_participation,
        params=complete(BY_NAME[task.algo], {**task.params, **fact.params})
        if fact.params
        else task.params,
    )
    return replace(execution, task=changed, anchor=_anchor(execution, changed, fact.at))


def _anchor(execution: Execution, task: Task, at: Instant) -> Anchor:
    return Anchor(max(at, task.start), min(execution.filled, task.qty))
