"""What is reserved: no fold moves a quantity but through these three."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.execution import Child, Execution
from app.domain.lifecycle import ChildStatus


def exchange(execution: Execution, old: Child, new: Child, **changes: Any) -> Execution:
    """The order with `new` in the place of `old`, its reservation moved along, and `changes`."""
    working, unknown = execution.working, execution.unknown
    if old.status is ChildStatus.UNKNOWN:
        unknown -= old.leaves
    else:
        working -= old.leaves
    if new.status is ChildStatus.UNKNOWN:
        unknown += new.leaves
    else:
        working += new.leaves
    others = tuple(c for c in execution.children if c.id != old.id)
    children = (*others, new) if new.live else others
    if len(children) > 1:
        children = tuple(sorted(children, key=lambda c: c.number))
    return replace(execution, working=working, unknown=unknown, children=children, **changes)


def make_room(execution: Execution, qty: Decimal) -> Execution:
    """Room for `qty` that nobody reserved: first from what was not sent, then from what was
    given up; the rest is more than anybody asked for."""
    beyond = qty - execution.unsent
    if beyond <= 0:
        return execution
    uncancel = min(beyond, execution.canceled)
    excess = beyond - uncancel
    return replace(
        execution, canceled=execution.canceled - uncancel, excess=execution.excess + excess
    )


def check(execution: Execution) -> None:
    parts = (
        execution.filled,
        execution.working,
        execution.unknown,
        execution.canceled,
        execution.excess,
        execution.unsent,
    )
    assert min(parts) >= 0, f"a quantity of order {execution.task.order_id} fell below zero"
