"""What is reserved: no fold moves a quantity but through these three."""

from dataclasses import replace
from decimal import Decimal

from app.domain.execution import Child, Execution
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO


def exchange(execution: Execution, old: Child, new: Child) -> Execution:
    """The order with `new` in the place of `old`, its reservation moved along."""
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
    ordered = tuple(sorted(children, key=lambda c: c.number))
    return replace(execution, working=working, unknown=unknown, children=ordered)


def make_room(execution: Execution, qty: Decimal) -> Execution:
    """Room for `qty` that nobody reserved: first from what was not sent, then from what was
    given up; the rest is more than anybody asked for."""
    uncancel = min(max(qty - execution.unsent, ZERO), execution.canceled)
    excess = max(qty - execution.unsent - execution.canceled, ZERO)
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
