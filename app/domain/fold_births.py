"""How a child comes into an order: intended by us, or found at the broker and adopted."""

from dataclasses import replace

from app.domain.execution import Child, Crossing, Execution, Rung
from app.domain.fact import Adopted, Intended, Purpose
from app.domain.lifecycle import ChildStatus
from app.domain.reservation import make_room


def intended(execution: Execution, fact: Intended) -> Execution:
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
        stop_price=fact.stop_price,
        stop_limit_price=fact.stop_limit_price,
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
        rung=_rung(execution, child),
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
        stop_price=fact.stop_price,
        stop_limit_price=fact.stop_limit_price,
    )


def adopted(execution: Execution, fact: Adopted) -> Execution:
    """What the broker works already is taken from what is left; the rest is excess."""
    assert not (fact.live and execution.done), "an order that is over reserves nothing"
    assert execution.child(fact.child_id) is None, "what we know is not adopted"
    child = adopted_child(fact)
    after = make_room(execution, child.leaves)
    children = (*after.children, child) if child.live else after.children
    return replace(
        after,
        working=after.working + child.leaves,
        children=tuple(sorted(children, key=lambda c: c.number)),
        next_child=max(after.next_child, fact.number + 1),
        rung=_rung(execution, child),
    )


def _rung(execution: Execution, child: Child) -> Rung | None:
    before = execution.rung
    if child.purpose is not Purpose.REST or (before is not None and before.number > child.number):
        return before
    return Rung(child.number, child.intended_at, child.price)
