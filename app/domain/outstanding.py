"""What of an order is at the broker, and what of that will still be done by itself."""

from decimal import Decimal

from app.domain.execution import Child, Execution
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import SECOND, Instant, Micros
from app.domain.lifecycle import ChildStatus
from app.domain.pacing import stands_until
from app.domain.placement import cancelable, rests_freely
from app.domain.quantity import ZERO

LINGERS: Micros = SECOND
"""How long a child that crosses in extended hours may take what is offered."""


def lingering(
    execution: Execution, now: Instant, wake: Instant
) -> tuple[tuple[Child, ...], Instant]:
    """Children that were to cross and rest, because their venue knows no immediate-or-cancel then;
    and when to look at those that have a moment left."""
    resting = [
        child
        for child in execution.children
        if child.purpose is Purpose.CROSS
        and child.time_in_force is TimeInForce.DAY_EXTENDED
        and cancelable(child)
    ]
    over = tuple([child for child in resting if now >= child.intended_at + LINGERS])
    ends = [child.intended_at + LINGERS for child in resting if now < child.intended_at + LINGERS]
    return over, min([wake, *ends])


def as_good_as_done(execution: Execution) -> Decimal:
    """What need not cross any more: what is crossing, being canceled or to be found counts."""
    resting = sum([c.leaves for c in execution.children if _will_rest(c)], start=ZERO)
    return execution.filled + execution.reserved - resting


def _will_rest(child: Child) -> bool:
    """Resting or on its way there: were it counted as done until it is acknowledged, the room it
    takes would be due no more, and be rested again, child after child."""
    on_its_way = child.status is ChildStatus.INTENT and child.cancel_requested_at is None
    return child.purpose is Purpose.REST and (on_its_way or cancelable(child))


def overdue(
    execution: Execution, missing: Decimal, margin: Micros, now: Instant, wake: Instant
) -> tuple[list[Child], Instant]:
    """Resting children whose time is up, the oldest first: as many as crossing needs the room of
    (`missing`); and when to look at those that have not stood for long enough.

    Those for later slices stay, else they would be sent and canceled in turns.
    """
    making_room: list[Child] = []
    for child in execution.children:
        if missing <= 0:
            break
        if rests_freely(child):
            stays = stands_until(execution.task, child, margin)
            missing -= child.leaves
            if now < stays:
                wake = min(wake, stays)
            else:
                making_room.append(child)
    return making_room, wake
