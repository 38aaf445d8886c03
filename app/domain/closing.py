"""How long an order may wait for evidence before somebody has to look."""

from collections.abc import Mapping

from app.domain.actions import Move
from app.domain.execution import Child, Execution
from app.domain.instant import Micros
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.recovery import NO_EVIDENCE, OPERATOR_AFTER

CHILD_UNKNOWN = f"{NO_EVIDENCE}.child_unknown"
CANCEL_UNANSWERED = f"{NO_EVIDENCE}.cancel_unanswered"
SEND_UNANSWERED = f"{NO_EVIDENCE}.send_unanswered"


def awaited(execution: Execution) -> tuple[Child, ...]:
    """The children of which the next word must come from the broker: unknown ones, those being
    canceled, and in a closing order all that live."""
    if execution.done:
        return ()
    closing = execution.status is OrderStatus.CLOSING
    return tuple(c for c in execution.children if closing or _why(c) != SEND_UNANSWERED)


def overdue(
    execution: Execution, waited: Mapping[str, Micros], bound: Micros = OPERATOR_AFTER
) -> Move | None:
    """The move to `needs_operator` once a child has been awaited for `bound`, else None.

    `waited` holds, by child id, the machine time since that child was first among `awaited`;
    one that is not there has been awaited for no time.
    """
    if execution.status is OrderStatus.NEEDS_OPERATOR:
        return None
    late = [c for c in awaited(execution) if waited.get(c.id, 0) >= bound]
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
