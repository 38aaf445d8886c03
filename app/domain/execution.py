"""The state of one parent order and its live children, and the fold of facts into it.

`apply(execution, fact)` is the only way the state changes: in the engine, in the store's
transactions and in virtual time alike.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from app.domain.algorithm import complete
from app.domain.algos import BY_NAME
from app.domain.fact import (
    Amended,
    BecameUnknown,
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
    TimeInForce,
)
from app.domain.instant import Instant
from app.domain.lifecycle import (
    CHILD_DONE,
    ORDER_DONE,
    ChildStatus,
    OrderStatus,
    move_child,
    move_order,
)
from app.domain.quantity import ZERO, Side
from app.domain.task import Anchor, Task

ENDS: dict[type[ChildFact], ChildStatus] = {
    ChildCanceled: ChildStatus.CANCELED,
    ChildExpired: ChildStatus.EXPIRED,
    ChildRejected: ChildStatus.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Child:
    """One child order. `leaves` is what may still fill while it lives."""

    id: str
    number: int
    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose
    time_in_force: TimeInForce
    status: ChildStatus
    intended_at: Instant
    quote_at: Instant
    filled: Decimal = ZERO
    broker_order_id: str | None = None
    cancel_requested_at: Instant | None = None
    reason: str | None = None

    @property
    def live(self) -> bool:
        return self.status not in CHILD_DONE

    @property
    def leaves(self) -> Decimal:
        return max(self.qty - self.filled, ZERO) if self.live else ZERO


@dataclass(frozen=True, slots=True)
class Crossing:
    """What the last crossing children saw: the same displayed size is not taken twice."""

    quote_at: Instant
    filled_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """One parent order: `filled + working + unknown + unsent + canceled = qty + excess`.

    `working` is reserved by children that are intended, sent or working, `unknown` by those
    whose send had no clear answer, `canceled` is given up for good, `excess` is what the broker
    filled beyond what was asked. `children` holds live ones only.
    """

    task: Task
    status: OrderStatus
    anchor: Anchor
    reason: str | None = None
    filled: Decimal = ZERO
    working: Decimal = ZERO
    unknown: Decimal = ZERO
    canceled: Decimal = ZERO
    excess: Decimal = ZERO
    children: tuple[Child, ...] = ()
    next_child: int = 1
    pause_requested: bool = False
    cancel_reason: str | None = None
    crossing: Crossing | None = None
    rejections: int = 0
    rejected_at: Instant | None = None

    @property
    def unsent(self) -> Decimal:
        asked = self.task.qty + self.excess
        return asked - self.filled - self.working - self.unknown - self.canceled

    @property
    def reserved(self) -> Decimal:
        return self.working + self.unknown

    @property
    def done(self) -> bool:
        return self.status in ORDER_DONE

    def child(self, child_id: str) -> Child | None:
        return next((c for c in self.children if c.id == child_id), None)


def accepted(task: Task) -> Execution:
    """The state of an order that was just accepted."""
    return Execution(task, OrderStatus.ACCEPTED, Anchor(task.start, ZERO))


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
        case Intended():
            raise KeyError(f"child {fact.child_id} exists already")
        case Sent():
            # A fill may overtake the acknowledgement: the status then stays where it is.
            early = old.status in (ChildStatus.INTENT, ChildStatus.UNKNOWN)
            new = replace(
                old,
                broker_order_id=fact.broker_order_id,
                status=ChildStatus.SENT if early else old.status,
            )
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
        case Filled():
            return _filled(execution, old, fact)
        case _:
            assert_never(fact)
    after = _exchange(execution, old, new)
    if old.live and _counts_as_rejection(fact, old):
        after = replace(after, rejections=after.rejections + 1, rejected_at=fact.at)
    _check(after)
    return after, new


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


def _filled(execution: Execution, old: Child, fact: Filled) -> tuple[Execution, Child]:
    filled = old.filled + fact.qty
    if filled >= old.qty:
        status = ChildStatus.FILLED
    elif old.live:
        status = ChildStatus.PARTIALLY_FILLED
    else:
        status = old.status
    new = replace(old, filled=filled, status=move_child(old.id, old.status, status))
    after = _exchange(execution, old, new)
    # What the child had not reserved comes out of what was never sent, then out of what was
    # given up, and the rest is more than anybody asked for.
    beyond = fact.qty - (old.leaves - new.leaves)
    uncancel = min(max(beyond - execution.unsent, ZERO), execution.canceled)
    excess = max(beyond - execution.unsent - execution.canceled, ZERO)
    crossing = after.crossing
    if old.purpose is Purpose.CROSS and crossing is not None:
        crossing = Crossing(crossing.quote_at, max(crossing.filled_at or fact.at, fact.at))
    after = replace(
        after,
        filled=after.filled + fact.qty,
        canceled=after.canceled - uncancel,
        excess=after.excess + excess,
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
