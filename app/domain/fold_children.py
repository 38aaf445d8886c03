"""The fold of facts about a child that exists: what it was told, what it filled."""

from dataclasses import replace
from typing import assert_never

from app.domain.execution import Child, Crossing, Execution
from app.domain.fact import (
    Adopted,
    BecameUnknown,
    Busted,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Filled,
    Intended,
    Purpose,
    Rested,
    Sent,
)
from app.domain.lifecycle import ChildStatus, move_child
from app.domain.quantity import ZERO
from app.domain.reservation import check, exchange, make_room

ENDS: dict[type[ChildFact], ChildStatus] = {
    ChildCanceled: ChildStatus.CANCELED,
    ChildExpired: ChildStatus.EXPIRED,
    ChildRejected: ChildStatus.REJECTED,
}

BAD_STOP = "broker.bad_stop"
"""Refused because of its stop: the only refusal after which an order goes on without one."""

_OVER_BY_SUM = (ChildStatus.FILLED, ChildStatus.CANCELED, ChildStatus.EXPIRED)


def apply_to_child(
    execution: Execution, fact: ChildFact, child: Child | None = None
) -> tuple[Execution, Child]:
    """The order and the child after a fact about an existing child."""
    old = child or execution.child(fact.child_id)
    if old is None:
        raise KeyError(f"child {fact.child_id} is not live in order {execution.task.order_id}")
    match fact:
        case Filled():
            return _filled(execution, old, fact)
        case Busted():
            return _busted(execution, old, fact)
        case _:
            new = _changed(old, fact)
    if new == old:
        return execution, old  # Heard before.
    after = exchange(execution, old, new)
    if old.live and _counts_as_rejection(fact, old):
        after = replace(after, rejections=after.rejections + 1, rejected_at=fact.at)
    if isinstance(fact, ChildRejected) and fact.reason == BAD_STOP and old.stop_price is not None:
        after = replace(after, stop_refused=True)
    check(after)
    return after, new


def _changed(
    old: Child,
    fact: Intended
    | Adopted
    | Sent
    | Rested
    | BecameUnknown
    | ChildCancelRequested
    | ChildCanceled
    | ChildExpired
    | ChildRejected,
) -> Child:
    """The child after what fills nothing."""
    match fact:
        case Intended() | Adopted():
            raise KeyError(f"child {fact.child_id} exists already")
        case Sent():
            new = _sent(old, fact)
        case Rested():
            new = replace(old, status=_or_later(old, ChildStatus.WORKING))
        case BecameUnknown():
            # Who has been heard of since is not unknown.
            silent = old.status in (ChildStatus.INTENT, ChildStatus.SENT)
            new = _to(old, ChildStatus.UNKNOWN, fact.reason) if silent else old
        case ChildCancelRequested():
            new = replace(old, cancel_requested_at=fact.at)
        case ChildCanceled() | ChildExpired() | ChildRejected():
            new = _to(old, ENDS[type(fact)], fact.reason) if old.live else old
        case _:
            assert_never(fact)
    return new


def _sent(child: Child, fact: Sent) -> Child:
    # A fill may overtake the acknowledgement: the status then stays where it is.
    early = child.status in (ChildStatus.INTENT, ChildStatus.UNKNOWN)
    status = _begun(child, ChildStatus.SENT) if early else child.status
    return replace(child, broker_order_id=fact.broker_order_id, status=status)


def _counts_as_rejection(fact: ChildFact, child: Child) -> bool:
    """Refused, or resting and thrown out unasked: sent again at once, that would never end."""
    if isinstance(fact, ChildRejected):
        return not fact.absent
    unasked = child.purpose is not Purpose.CROSS and child.cancel_requested_at is None
    return unasked and isinstance(fact, ChildCanceled | ChildExpired)


def _to(child: Child, status: ChildStatus, reason: str | None) -> Child:
    return replace(child, status=move_child(child.id, child.status, status), reason=reason)


def _or_later(child: Child, status: ChildStatus) -> ChildStatus:
    """`status`, unless the child is already further on."""
    early = (ChildStatus.INTENT, ChildStatus.SENT, ChildStatus.UNKNOWN)
    return _begun(child, status) if child.status in early else child.status


def _begun(child: Child, status: ChildStatus) -> ChildStatus:
    """`status`, or partially filled where fills are booked already."""
    return ChildStatus.PARTIALLY_FILLED if child.filled > ZERO else status


def _busted(execution: Execution, old: Child, fact: Busted) -> tuple[Execution, Child]:
    """What never counted is reserved again while its child may live; else it is open again, or
    given up where the order is over. What was too much goes first."""
    assert fact.qty <= old.filled, "no more is void than was filled"
    filled, status = old.filled - fact.qty, old.status
    if status in _OVER_BY_SUM and ZERO < old.qty - filled <= execution.unsent + fact.qty:
        # Filled by our sum alone, at the broker it may work on; and an end was believed because
        # its sum was ours: another fill, which we have not heard of, may make up the same.
        # Reserved until it is found, where what it might have filled is not sent yet.
        over = ChildStatus.CANCELED if status is ChildStatus.FILLED else status
        status = move_child(old.id, status, over if execution.done else ChildStatus.UNKNOWN)
    new = replace(old, filled=filled, status=status)
    after = exchange(execution, old, new)
    freed = fact.qty - (new.leaves - old.leaves)
    less = min(execution.excess, max(freed, ZERO))
    after = replace(
        after,
        filled=after.filled - fact.qty,
        excess=after.excess - less,
        canceled=after.canceled + (freed - less if after.done else ZERO),
    )
    check(after)
    return after, new


def _filled(execution: Execution, old: Child, fact: Filled) -> tuple[Execution, Child]:
    filled = old.filled + fact.qty
    if filled >= old.qty:
        status = ChildStatus.FILLED
    elif old.live:
        status = ChildStatus.PARTIALLY_FILLED
    else:
        status = old.status
    new = replace(old, filled=filled, status=move_child(old.id, old.status, status))
    # What the child had not reserved.
    beyond = fact.qty - (old.leaves - new.leaves)
    crossing = execution.crossing
    if old.purpose is Purpose.CROSS and crossing is not None:
        crossing = Crossing(crossing.quote_at, max(crossing.filled_at or fact.at, fact.at))
    after = exchange(
        make_room(execution, beyond),
        old,
        new,
        filled=execution.filled + fact.qty,
        crossing=crossing,
        rejections=0,
        rejected_at=None,
    )
    check(after)
    return after, new
