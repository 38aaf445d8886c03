"""The fold of facts into the state of an order.

`apply(execution, fact)` is the only way the state changes: in the engine, in the store's
transactions and in virtual time alike.
"""

from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.execution import Child, Crossing, Execution
from app.domain.fact import (
    Adopted,
    Amended,
    BecameUnknown,
    Busted,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Fact,
    Filled,
    Intended,
    Moved,
    Paused,
    Purpose,
    Replanned,
    Rested,
    Resumed,
    Sent,
)
from app.domain.instant import Instant
from app.domain.lifecycle import ORDER_DONE, ChildStatus, move_child, move_order
from app.domain.quantity import ZERO
from app.domain.task import Anchor, Task

ENDS: dict[type[ChildFact], ChildStatus] = {
    ChildCanceled: ChildStatus.CANCELED,
    ChildExpired: ChildStatus.EXPIRED,
    ChildRejected: ChildStatus.REJECTED,
}


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
        case Intended():
            after = _intended(execution, fact)
        case Adopted():
            after = _adopted(execution, fact)
        case _:
            after, _ = apply_to_child(execution, fact, child)
    _check(after)
    return after


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
    after = _exchange(execution, old, new)
    if old.live and _counts_as_rejection(fact, old):
        after = replace(after, rejections=after.rejections + 1, rejected_at=fact.at)
    _check(after)
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
    status = ChildStatus.SENT if early else child.status
    return replace(child, broker_order_id=fact.broker_order_id, status=status)


def _counts_as_rejection(fact: ChildFact, child: Child) -> bool:
    """Refused, or resting and thrown out unasked: sent again at once, that would never end."""
    if isinstance(fact, ChildRejected):
        return not fact.absent
    unasked = child.purpose is Purpose.REST and child.cancel_requested_at is None
    return unasked and isinstance(fact, ChildCanceled | ChildExpired)


def _to(child: Child, status: ChildStatus, reason: str | None) -> Child:
    return replace(child, status=move_child(child.id, child.status, status), reason=reason)


def _or_later(child: Child, status: ChildStatus) -> ChildStatus:
    """`status`, unless the child is already further on."""
    early = (ChildStatus.INTENT, ChildStatus.SENT, ChildStatus.UNKNOWN)
    return status if child.status in early else child.status


def _moved(execution: Execution, fact: Moved) -> Execution:
    status = move_order(execution.task.order_id, execution.status, fact.status)
    after = replace(execution, status=status, reason=fact.reason)
    if status in ORDER_DONE:
        assert execution.reserved == 0, "an order ends only when every child has evidence"
        after = replace(after, canceled=after.canceled + after.unsent)
    return after


def _amended(execution: Execution, fact: Amended) -> Execution:
    task = execution.task
    changed = replace(
        task,
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


def _intended(execution: Execution, fact: Intended) -> Execution:
    assert execution.excess == 0, "no child is sent while the broker owes an explanation"
    child = Child(
        id=fact.child_id,
        number=fact.number,
        side=fact.side,
        qty=fact.qty,
        price=fact.price,
        purpose=fact.purpose,
        time_in_force=fact.time_in_force,
        status=ChildStatus.INTENT,
        intended_at=fact.at,
        quote_at=fact.quote_at,
    )
    crossing = execution.crossing
    if fact.purpose is Purpose.CROSS:
        crossing = Crossing(fact.quote_at, crossing.filled_at if crossing else None)
    return replace(
        execution,
        working=execution.working + fact.qty,
        children=(*execution.children, child),
        next_child=max(execution.next_child, fact.number + 1),
        crossing=crossing,
    )


def adopted_child(fact: Adopted) -> Child:
    """The child as it enters the journal; one that is not live has ended without our hearing."""
    return Child(
        id=fact.child_id,
        number=fact.number,
        side=fact.side,
        qty=fact.qty,
        price=fact.price,
        purpose=fact.purpose,
        time_in_force=fact.time_in_force,
        status=ChildStatus.SENT if fact.live else ChildStatus.CANCELED,
        intended_at=fact.at,
        quote_at=fact.at,
        broker_order_id=fact.broker_order_id,
        reason=None if fact.live else "adopted",
    )


def _adopted(execution: Execution, fact: Adopted) -> Execution:
    """What the broker works already is taken from what is left; the rest is excess."""
    assert not (fact.live and execution.done), "an order that is over reserves nothing"
    child = adopted_child(fact)
    after = _beyond(execution, child.leaves)
    return replace(
        after,
        working=after.working + child.leaves,
        children=(*after.children, child) if child.live else after.children,
        next_child=max(after.next_child, fact.number + 1),
    )


def _beyond(execution: Execution, qty: Decimal) -> Execution:
    """Room for `qty` that nobody reserved: first from what was not sent, then from what was
    given up; the rest is more than anybody asked for."""
    uncancel = min(max(qty - execution.unsent, ZERO), execution.canceled)
    excess = max(qty - execution.unsent - execution.canceled, ZERO)
    return replace(
        execution, canceled=execution.canceled - uncancel, excess=execution.excess + excess
    )


def _busted(execution: Execution, old: Child, fact: Busted) -> tuple[Execution, Child]:
    """What never counted is reserved again while its child lives; else it is open again, or
    given up where the order is over. What was too much goes first."""
    assert fact.qty <= old.filled, "no more is void than was filled"
    status = old.status
    if status is ChildStatus.FILLED:
        # Over at the broker, and not filled any more.
        status = move_child(old.id, status, ChildStatus.CANCELED)
    new = replace(old, filled=old.filled - fact.qty, status=status)
    after = _exchange(execution, old, new)
    freed = fact.qty - (new.leaves - old.leaves)
    less = min(execution.excess, freed)
    after = replace(
        after,
        filled=after.filled - fact.qty,
        excess=after.excess - less,
        canceled=after.canceled + (freed - less if after.done else ZERO),
    )
    _check(after)
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
    after = _exchange(_beyond(execution, beyond), old, new)
    crossing = after.crossing
    if old.purpose is Purpose.CROSS and crossing is not None:
        crossing = Crossing(crossing.quote_at, max(crossing.filled_at or fact.at, fact.at))
    after = replace(
        after,
        filled=after.filled + fact.qty,
        crossing=crossing,
        rejections=0,
        rejected_at=None,
    )
    _check(after)
    return after, new


def _exchange(execution: Execution, old: Child, new: Child) -> Execution:
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


def _check(execution: Execution) -> None:
    parts = (
        execution.filled,
        execution.working,
        execution.unknown,
        execution.canceled,
        execution.excess,
        execution.unsent,
    )
    assert min(parts) >= 0, f"a quantity of order {execution.task.order_id} fell below zero"
