"""An operator's word on a child whose fate no evidence tells (invariant I18)."""

from enum import StrEnum
from typing import Any, assert_never

from app.domain.fact import ChildCanceled, ChildFact, ChildRejected
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.domain.refusal import Conflict, Missing, Unavailable
from app.engine.service import Caller, Service
from app.store import journal, market_state, trail, views
from app.store.doorbell import EVENTS, WORK
from app.store.journal import Entry
from app.store.views.silence import Silence, silence

STUCK_SECONDS = 10.0
"""A cancel that was asked for and brought no evidence for this long; it was repeated meanwhile."""


class Outcome(StrEnum):
    """`absent`: it never reached the broker. `canceled`: it did, and is over there."""

    ABSENT = "absent"
    CANCELED = "canceled"


async def resolve(
    service: Service, caller: Caller, order_id: str, child_id: str, outcome: Outcome, reason: str
) -> Any:
    """End a child by decision, and free its quantity. The order's row afterwards.

    A fill that is told later is booked all the same. Raises Missing, or Conflict for a child
    whose fate is known, still being asked for, or contradicts the outcome.
    """
    async with service.database.transaction() as connection:
        row = await views.find_order(connection, order_id, caller.accounts)
        if row is None:
            raise Missing("unknown_order", f"no order {order_id}")
        # Locked first: what the desk books at this moment is either seen here, or sees us.
        await journal.load(connection, account=row["account"], order_ids=[order_id], lock=True)
        child = await silence(connection, row, child_id)
        if child is None:
            raise Missing("unknown_child", f"the order has no child {child_id!r}")
        _check(child, outcome)
        clock = await market_state.clock(connection)
        if clock is None:
            raise Unavailable("no_market_time", "no worker has told the market time yet")
        said = f"operator: {reason} (key {caller.key_id})"
        await journal.record(
            connection,
            account=row["account"],
            broker=row["broker"],
            entries=[Entry(order_id, [_fact(clock.now, child_id, outcome, said)], attention=True)],
        )
        await trail.add(
            connection,
            actor=caller.key_id,
            action="child.settled",
            target=child_id,
            account=row["account"],
            after={"order_id": order_id, "outcome": outcome.value},
            reason=reason,
        )
        after = await views.find_order(connection, order_id, caller.accounts)
    service.doorbell.ring(WORK)
    service.doorbell.ring(EVENTS)
    return after


def _check(child: Silence, outcome: Outcome) -> None:
    if child.done:
        raise Conflict("child_is_over", f"the child is {child.status.value} already")
    unknown = child.status is ChildStatus.UNKNOWN
    stuck = child.cancel_requested and child.seconds >= STUCK_SECONDS
    if not unknown and not stuck:
        raise Conflict(
            "child_is_not_stuck",
            f"the child is {child.status.value}: an operator decides where it is unknown, or"
            f" where a cancel has brought no evidence for {STUCK_SECONDS:.0f} s",
        )
    if outcome is Outcome.ABSENT and (child.filled > 0 or not unknown):
        raise Conflict("child_was_seen", "the broker has told of this child: it is not absent")


def _fact(at: Instant, child_id: str, outcome: Outcome, reason: str) -> ChildFact:
    match outcome:
        case Outcome.ABSENT:
            return ChildRejected(at, child_id, reason, absent=True)
        case Outcome.CANCELED:
            return ChildCanceled(at, child_id, reason)
        case _:
            assert_never(outcome)
