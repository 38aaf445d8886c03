"""When an order has to end, and how long it may wait for evidence before somebody has to look."""

from collections.abc import Mapping

from app.domain.actions import Move
from app.domain.auction import is_silent
from app.domain.execution import Child, Execution
from app.domain.instant import Instant, Micros
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.recovery import NO_EVIDENCE, OPERATOR_AFTER

NOTHING_TO_REDUCE = "nothing_to_reduce"
"""The reason with which an order that only reduces is canceled where nothing is left to reduce."""

CHILD_UNKNOWN = f"{NO_EVIDENCE}.child_unknown"
CANCEL_UNANSWERED = f"{NO_EVIDENCE}.cancel_unanswered"
SEND_UNANSWERED = f"{NO_EVIDENCE}.send_unanswered"


def awaited(execution: Execution, now: Instant) -> tuple[Child, ...]:
    """The children of which the next word must come from the broker: unknown ones, those being
    canceled, and in a closing order all that live. Those in the closing auction only once it has
    printed: before, a broker may neither cancel them nor say anything."""
    if execution.done:
        return ()
    closing = execution.status is OrderStatus.CLOSING
    return tuple(
        c
        for c in execution.children
        if (closing or _why(c) != SEND_UNANSWERED) and not is_silent(execution, c, now)
    )


def overdue(
    execution: Execution, waited: Mapping[str, Micros], bound: Micros = OPERATOR_AFTER
) -> Move | None:
    """The move to `needs_operator` once a child has been awaited for `bound`, else None.

    `waited` holds, by child id, the machine time since that child was first among `awaited`, of
    those that still are.
    """
    if execution.done or execution.status is OrderStatus.NEEDS_OPERATOR:
        return None
    late = [c for c in execution.children if waited.get(c.id, 0) >= bound]
    if not late:
        return None
    return Move(OrderStatus.NEEDS_OPERATOR, min(map(_why, late), key=_MOST_TELLING.index))


_MOST_TELLING = (CHILD_UNKNOWN, CANCEL_UNANSWERED, SEND_UNANSWERED)


def _why(child: Child) -> str:
    if child.status is ChildStatus.UNKNOWN:
        return CHILD_UNKNOWN
    return SEND_UNANSWERED if child.cancel_requested_at is None else CANCEL_UNANSWERED


def waits_for_evidence(execution: Execution) -> bool:
    """Whether what somebody has to look at is a silent broker, not a mistake of our own."""
    waits = execution.status is OrderStatus.NEEDS_OPERATOR
    return waits and (execution.reason or "").startswith(f"{NO_EVIDENCE}.")


def ending(execution: Execution, now: Instant) -> tuple[OrderStatus, str | None] | None:
    """The status this order ends in and why, once it has to end."""
    if execution.filled >= execution.task.qty:
        return OrderStatus.FILLED, None
    if execution.cancel_reason is not None:
        return OrderStatus.CANCELED, execution.cancel_reason
    if execution.status is OrderStatus.CLOSING and execution.reason == NOTHING_TO_REDUCE:
        return OrderStatus.CANCELED, NOTHING_TO_REDUCE
    if execution.status is OrderStatus.CLOSING or now >= execution.task.end:
        return OrderStatus.EXPIRED, execution.reason or "window_ended"
    return None
