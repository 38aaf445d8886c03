"""The fold: whatever happens in whatever order, the quantities add up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.domain.execution import Child, Execution, accepted
from app.domain.fact import (
    Amended,
    BecameUnknown,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    ChildFact,
    ChildRejected,
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
from app.domain.fold import apply, apply_to_child
from app.domain.instant import MINUTE, SECOND
from app.domain.lifecycle import ORDER_DONE, ORDER_MOVES, ChildStatus, IllegalMove, OrderStatus
from app.domain.quantity import ZERO, Side
from app.domain.task import Anchor
from tests.domain.tasks import OPEN, a_task

D = Decimal
ORDER, CHILD = OrderStatus, ChildStatus


@dataclass
class Case:
    """One order whose children are remembered after they finish, as the store does."""

    execution: Execution
    children: dict[str, Child]

    @classmethod
    def working(cls, qty: int = 100, **kw: Any) -> "Case":
        execution = accepted(a_task(qty=qty, **kw))
        return cls(apply(execution, Moved(OPEN, ORDER.WORKING)), {})

    def intend(self, qty: int, purpose: Purpose = Purpose.CROSS, at: int = OPEN) -> str:
        number = self.execution.next_child
        tif = TimeInForce.IOC if purpose is Purpose.CROSS else TimeInForce.DAY
        name = f"c{number}"
        fact = Intended(at, name, number, Side.BUY, D(qty), D(10), purpose, tif, at)
        self.execution = apply(self.execution, fact)
        child = self.execution.child(name)
        assert child is not None
        self.children[name] = child
        return name

    def hear(self, fact: ChildFact) -> Child:
        old = self.children[fact.child_id]
        both = apply_to_child(self.execution, fact, old)
        assert apply(self.execution, fact, old) == both[0]
        self.execution, self.children[fact.child_id] = both
        return both[1]

    def fill(self, name: str, qty: int, at: int = OPEN) -> Child:
        return self.hear(Filled(at, name, "e", D(qty), D(10), ZERO, "taker"))

    def sums(self) -> tuple[int, ...]:
        e = self.execution
        parts = (e.filled, e.working, e.unknown, e.unsent, e.canceled, e.excess)
        return tuple(int(part) for part in parts)

    def status(self, name: str) -> ChildStatus:
        return self.children[name].status


def test_an_accepted_order_has_sent_nothing() -> None:
    execution = accepted(a_task(qty=100))
    assert execution.status is ORDER.ACCEPTED
    assert execution.anchor == Anchor(OPEN, ZERO)
    assert Case(execution, {}).sums() == (0, 0, 0, 100, 0, 0)
    assert not execution.done


def test_the_usual_way() -> None:
    case = Case.working()
    name = case.intend(40)
    assert case.sums() == (0, 40, 0, 60, 0, 0)
    case.hear(Sent(OPEN, name, "b1"))
    assert case.status(name) is CHILD.SENT
    assert case.children[name].broker_order_id == "b1"
    case.hear(Rested(OPEN, name))
    assert case.status(name) is CHILD.WORKING
    case.fill(name, 15)
    assert case.status(name) is CHILD.PARTIALLY_FILLED
    assert case.sums() == (15, 25, 0, 60, 0, 0)
    case.fill(name, 25)
    assert case.status(name) is CHILD.FILLED
    assert case.sums() == (40, 0, 0, 60, 0, 0)
    assert case.execution.children == ()
    assert case.execution.next_child == 2


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (ChildCanceled, CHILD.CANCELED),
        (ChildExpired, CHILD.EXPIRED),
        (ChildRejected, CHILD.REJECTED),
    ],
)
def test_what_ends_gives_its_rest_back_and_may_still_fill(
    end: Callable[..., Any], status: ChildStatus
) -> None:
    case = Case.working()
    name = case.intend(40)
    case.hear(end(OPEN, name, "why"))
    assert case.status(name) is status
    assert case.children[name].reason == "why"
    assert case.sums() == (0, 0, 0, 100, 0, 0)
    # Heard again, nothing changes.
    before = case.execution
    case.hear(end(OPEN, name, "again"))
    assert case.execution == before
    # A late fill is legal and always counted.
    case.fill(name, 10)
    assert case.status(name) is status
    assert case.sums() == (10, 0, 0, 90, 0, 0)
    case.fill(name, 30)
    assert case.status(name) is CHILD.FILLED
    assert case.sums() == (40, 0, 0, 60, 0, 0)


def test_a_late_fill_after_the_end_comes_out_of_what_was_given_up() -> None:
    case = Case.working()
    name = case.intend(40)
    case.hear(ChildCanceled(OPEN, name))
    case.execution = apply(case.execution, Moved(OPEN, ORDER.CLOSING, "user"))
    case.execution = apply(case.execution, Moved(OPEN, ORDER.CANCELED, "user"))
    assert case.sums() == (0, 0, 0, 0, 100, 0)
    case.fill(name, 40)
    assert case.sums() == (40, 0, 0, 0, 60, 0)
    assert case.execution.status is ORDER.CANCELED
    assert case.execution.reason == "user"


def test_a_late_fill_that_finds_no_room_is_excess() -> None:
    case = Case.working()
    late = case.intend(40)
    case.hear(ChildCanceled(OPEN, late))
    rest = case.intend(90)
    case.fill(late, 40)
    assert case.sums() == (40, 90, 0, 0, 0, 30)
    case.fill(rest, 90)
    assert case.sums() == (130, 0, 0, 0, 0, 30)


@pytest.mark.parametrize("before", [0, 4])
def test_more_than_was_asked_for_is_excess(before: int) -> None:
    case = Case.working(qty=10)
    name = case.intend(10)
    if before:
        case.fill(name, before)
    case.fill(name, 15 - before)
    assert case.status(name) is CHILD.FILLED
    assert case.sums() == (15, 0, 0, 0, 0, 5)
    case.fill(name, 2)
    assert case.sums() == (17, 0, 0, 0, 0, 7)


def test_an_over_fill_first_takes_what_was_never_sent() -> None:
    case = Case.working()
    name = case.intend(40)
    case.fill(name, 70)
    assert case.sums() == (70, 0, 0, 30, 0, 0)


def test_nothing_is_sent_while_there_is_excess() -> None:
    case = Case.working()
    late = case.intend(40)
    case.hear(ChildCanceled(OPEN, late))
    rest = case.intend(100)
    case.fill(late, 1)
    case.hear(ChildCanceled(OPEN, rest))
    with pytest.raises(AssertionError, match="owes an explanation"):
        case.intend(1)


def test_more_than_the_order_cannot_be_reserved() -> None:
    case = Case.working()
    case.intend(60)
    with pytest.raises(AssertionError, match="fell below zero"):
        case.intend(41)


def test_unknown_keeps_its_reservation_until_there_is_evidence() -> None:
    case = Case.working()
    filled, absent, found = case.intend(10), case.intend(20), case.intend(30)
    for name in (filled, absent, found):
        case.hear(BecameUnknown(OPEN, name, "timeout"))
    assert case.sums() == (0, 0, 60, 40, 0, 0)
    case.fill(filled, 4)
    assert case.status(filled) is CHILD.PARTIALLY_FILLED
    assert case.sums() == (4, 6, 50, 40, 0, 0)
    case.hear(ChildRejected(OPEN, absent, "absent"))
    assert case.sums() == (4, 6, 30, 60, 0, 0)
    case.hear(Sent(OPEN, found, "b3"))
    assert case.status(found) is CHILD.SENT
    assert case.sums() == (4, 36, 0, 60, 0, 0)


def test_unknown_that_fills_whole() -> None:
    case = Case.working()
    name = case.intend(10)
    case.hear(BecameUnknown(OPEN, name, "timeout"))
    case.fill(name, 10)
    assert case.sums() == (10, 0, 0, 90, 0, 0)


def test_a_fill_may_overtake_the_acknowledgement() -> None:
    case = Case.working()
    name = case.intend(10)
    case.fill(name, 3)
    case.hear(Sent(OPEN, name, "b1"))
    case.hear(Rested(OPEN, name))
    assert case.status(name) is CHILD.PARTIALLY_FILLED
    assert case.children[name].broker_order_id == "b1"
    case.fill(name, 7)
    case.hear(Sent(OPEN, name, "b1"))
    case.hear(Rested(OPEN, name))
    assert case.status(name) is CHILD.FILLED


@pytest.mark.parametrize("heard", ["fill", "part", "rest", "cancel"])
def test_a_timeout_after_evidence_changes_nothing(heard: str) -> None:
    case = Case.working()
    name = case.intend(10)
    match heard:
        case "fill":
            case.fill(name, 10)
        case "part":
            case.fill(name, 1)
        case "rest":
            case.hear(Rested(OPEN, name))
        case _:
            case.hear(ChildCanceled(OPEN, name))
    before = case.execution
    case.hear(BecameUnknown(OPEN, name, "timeout"))
    assert case.execution == before


def test_a_fill_after_a_cancel_request_is_just_a_fill() -> None:
    case = Case.working()
    name = case.intend(10, Purpose.REST)
    case.hear(Rested(OPEN, name))
    case.hear(ChildCancelRequested(OPEN + 5, name, "paused"))
    assert case.children[name].cancel_requested_at == OPEN + 5
    case.fill(name, 10)
    case.hear(ChildCanceled(OPEN, name))
    assert case.status(name) is CHILD.FILLED


def test_a_child_that_was_never_sent_is_nobody() -> None:
    case = Case.working()
    with pytest.raises(KeyError):
        apply(case.execution, Sent(OPEN, "ghost", "b1"))
    name = case.intend(10)
    case.fill(name, 10)
    with pytest.raises(KeyError):
        apply(case.execution, Filled(OPEN, name, "e", D(1), D(10), ZERO, "taker"))
    again = Intended(OPEN, name, 1, Side.BUY, D(1), D(10), Purpose.CROSS, TimeInForce.IOC, OPEN)
    with pytest.raises(KeyError):
        apply_to_child(case.execution, again, case.children[name])


def test_an_illegal_move_is_refused() -> None:
    case = Case.working()
    with pytest.raises(IllegalMove):
        apply(case.execution, Moved(OPEN, ORDER.CANCELED))
    closing = apply(case.execution, Moved(OPEN, ORDER.CLOSING))
    with pytest.raises(IllegalMove):
        apply(closing, Moved(OPEN, ORDER.WORKING))
    done = apply(closing, Moved(OPEN, ORDER.EXPIRED))
    with pytest.raises(IllegalMove):
        apply(done, Moved(OPEN, ORDER.CLOSING))
    # A venue that filled a part may still refuse the rest.
    name = case.intend(10)
    case.fill(name, 1)
    case.hear(ChildRejected(OPEN, name, "late"))
    assert case.status(name) is CHILD.REJECTED
    assert case.sums() == (1, 0, 0, 99, 0, 0)


def test_an_order_does_not_end_while_a_child_is_out() -> None:
    case = Case.working()
    case.intend(10)
    case.execution = apply(case.execution, Moved(OPEN, ORDER.CLOSING))
    with pytest.raises(AssertionError, match="evidence"):
        apply(case.execution, Moved(OPEN, ORDER.EXPIRED))


def test_refusals_are_counted_until_something_fills() -> None:
    case = Case.working()
    for n in (1, 2, 3):
        case.hear(ChildRejected(OPEN + n, case.intend(10), "no"))
        assert (case.execution.rejections, case.execution.rejected_at) == (n, OPEN + n)
    late = case.intend(10)
    case.hear(ChildRejected(OPEN + 4, late, "no"))
    case.hear(ChildRejected(OPEN + 5, late, "no"))
    assert (case.execution.rejections, case.execution.rejected_at) == (4, OPEN + 4)
    case.fill(case.intend(10), 1)
    assert (case.execution.rejections, case.execution.rejected_at) == (0, None)


def test_a_resting_child_thrown_out_unasked_counts_as_refused() -> None:
    case = Case.working()
    case.hear(ChildCanceled(OPEN, case.intend(10, Purpose.REST)))
    case.hear(ChildExpired(OPEN, case.intend(10, Purpose.REST)))
    assert case.execution.rejections == 2
    asked = case.intend(10, Purpose.REST)
    case.hear(ChildCancelRequested(OPEN, asked, "patience_ended"))
    case.hear(ChildCanceled(OPEN, asked))
    case.hear(ChildCanceled(OPEN, case.intend(10, Purpose.CROSS)))
    case.hear(ChildExpired(OPEN, case.intend(10, Purpose.CROSS)))
    assert case.execution.rejections == 2


def test_the_last_crossing_is_remembered() -> None:
    case = Case.working()
    case.intend(10, Purpose.REST)
    assert case.execution.crossing is None
    first = case.intend(10, Purpose.CROSS, at=OPEN + 3)
    case.fill(first, 4, at=OPEN + 9)
    case.fill(first, 4, at=OPEN + 7)
    crossing = case.execution.crossing
    assert crossing is not None
    assert (crossing.quote_at, crossing.filled_at) == (OPEN + 3, OPEN + 9)
    case.intend(10, Purpose.CROSS, at=OPEN + 20)
    crossing = case.execution.crossing
    assert crossing is not None
    assert (crossing.quote_at, crossing.filled_at) == (OPEN + 20, OPEN + 9)


def test_pause_resume_amend_and_replan_set_the_anchor() -> None:
    case = Case.working()
    case.fill(case.intend(30), 30)
    paused = apply(case.execution, Paused(OPEN + MINUTE))
    assert paused.pause_requested
    assert paused.anchor == Anchor(OPEN, ZERO)
    resumed = apply(paused, Resumed(OPEN + 2 * MINUTE))
    assert not resumed.pause_requested
    assert resumed.anchor == Anchor(OPEN + 2 * MINUTE, D(30))
    amended = apply(
        resumed,
        Amended(
            OPEN + 3 * MINUTE,
            qty=D(60),
            limit_price=D(11),
            end=OPEN + MINUTE * 20,
            max_participation=D("0.2"),
            params={"patience": "2.5", "max_child": "7", "placement": "cross"},
        ),
    )
    assert amended.anchor == Anchor(OPEN + 3 * MINUTE, D(30))
    task = amended.task
    assert (task.qty, task.limit_price, task.max_participation) == (60, 11, D("0.2"))
    assert task.end == OPEN + 20 * MINUTE
    assert task.params["patience"] == D("2.5")
    assert type(task.params["max_child"]) is Decimal
    assert task.params["slices"] == case.execution.task.params["slices"]
    same = apply(amended, Amended(OPEN + 4 * MINUTE))
    assert same.task == amended.task
    replanned = apply(same, Replanned(OPEN + 5 * MINUTE, D(30), "behind_schedule"))
    assert replanned.anchor == Anchor(OPEN + 5 * MINUTE, D(30))


def test_before_the_start_the_anchor_is_the_start() -> None:
    execution = accepted(a_task(qty=100))
    early = OPEN - MINUTE
    assert apply(execution, Resumed(early)).anchor == Anchor(OPEN, ZERO)
    assert apply(execution, Amended(early, qty=D(50))).anchor == Anchor(OPEN, ZERO)


def test_an_anchor_never_lies_beyond_the_quantity() -> None:
    case = Case.working(qty=10)
    case.fill(case.intend(10), 15)
    assert apply(case.execution, Resumed(OPEN + SECOND)).anchor.done == 10


def test_an_amend_below_what_is_out_is_our_own_mistake() -> None:
    case = Case.working()
    case.fill(case.intend(30), 30)
    case.intend(20)
    assert apply(case.execution, Amended(OPEN, qty=D(50))).unsent == 0
    with pytest.raises(AssertionError):
        apply(case.execution, Amended(OPEN, qty=D(49)))


def test_the_first_reason_to_cancel_stays() -> None:
    case = Case.working()
    once = apply(case.execution, CancelRequested(OPEN, "user"))
    assert apply(once, CancelRequested(OPEN, "kill")).cancel_reason == "user"


# Any legal sequence of facts


class Fold(RuleBasedStateMachine):
    """Facts in any order a broker might tell them, against sums kept by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.case = Case.working(qty=50)
        self.fills = 0
        self.excess = 0
        self.now = OPEN

    @property
    def e(self) -> Execution:
        return self.case.execution

    def names(self, *, live: bool | None = None) -> list[str]:
        children = self.case.children.values()
        return sorted(c.id for c in children if live is None or c.live is live)

    def pick(self, data: st.DataObject, *, live: bool | None = None) -> str:
        return data.draw(st.sampled_from(self.names(live=live)))

    def order(self, fact: Any) -> None:
        self.case.execution = apply(self.e, fact)

    @rule(data=st.data(), purpose=st.sampled_from(Purpose))
    @precondition(lambda self: self.e.unsent > 0 and self.e.excess == 0 and not self.e.done)
    def intend(self, data: st.DataObject, purpose: Purpose) -> None:
        self.now += 1
        self.case.intend(data.draw(st.integers(1, int(self.e.unsent))), purpose, self.now)

    @rule(data=st.data(), kind=st.sampled_from([Sent, Rested, BecameUnknown, ChildCancelRequested]))
    @precondition(lambda self: self.names())
    def told(self, data: st.DataObject, kind: Callable[..., Any]) -> None:
        name = self.pick(data)
        self.case.hear(kind(self.now, name) if kind is Rested else kind(self.now, name, "x"))

    @rule(data=st.data(), kind=st.sampled_from([ChildCanceled, ChildExpired, ChildRejected]))
    @precondition(lambda self: self.names())
    def ended(self, data: st.DataObject, kind: Callable[..., Any]) -> None:
        name = self.pick(data)
        if kind is ChildRejected and self.case.status(name) is CHILD.PARTIALLY_FILLED:
            kind = ChildCanceled
        self.case.hear(kind(self.now, name, "x"))
        self.case.hear(kind(self.now, name, "again"))

    @rule(data=st.data(), beyond=st.sampled_from([0, 0, 0, 3]))
    @precondition(lambda self: self.names())
    def fill(self, data: st.DataObject, beyond: int) -> None:
        name = self.pick(data)
        child = self.case.children[name]
        room = max(int(child.qty - child.filled), 0) + beyond
        if room == 0:
            return
        self.now += 1
        qty = data.draw(st.integers(1, room))
        self.case.fill(name, qty, self.now)
        self.fills += qty
        committed = self.fills + self.leaves()
        self.excess = max(self.excess, committed - int(self.e.task.qty))

    @rule(data=st.data())
    @precondition(lambda self: not self.e.done)
    def amend(self, data: st.DataObject) -> None:
        out = int(self.e.filled + self.e.reserved)
        if out <= 80:
            qty = data.draw(st.integers(max(out, 1), 80))
            self.order(Amended(self.now, qty=D(qty)))
            assert self.e.anchor == Anchor(self.now, self.e.filled)

    @rule(fact=st.sampled_from([Paused, Resumed]))
    def pause_or_resume(self, fact: Callable[..., Any]) -> None:
        self.order(fact(self.now))
        assert self.e.anchor.done <= self.e.task.qty

    @rule(data=st.data())
    @precondition(lambda self: not self.e.done)
    def move(self, data: st.DataObject) -> None:
        status = data.draw(st.sampled_from(sorted(ORDER_MOVES[self.e.status])))
        if status in ORDER_DONE and self.e.reserved > 0:
            return
        if status is ORDER.FILLED and self.e.filled < self.e.task.qty:
            return
        self.order(Moved(self.now, status))

    def leaves(self, *, unknown: bool | None = None) -> int:
        out = 0
        for child in self.case.children.values():
            is_unknown = child.status is CHILD.UNKNOWN
            if child.live and (unknown is None or unknown is is_unknown):
                out += int(child.qty - child.filled)
        return out

    @invariant()
    def the_parts_are_the_whole(self) -> None:
        filled, working, unknown, unsent, canceled, excess = self.case.sums()
        assert filled + working + unknown + unsent + canceled == self.e.task.qty + excess
        assert min(filled, working, unknown, unsent, canceled, excess) >= 0

    @invariant()
    def each_part_is_what_the_children_say(self) -> None:
        filled, working, unknown, unsent, canceled, excess = self.case.sums()
        assert filled == self.fills
        assert filled == sum(c.filled for c in self.case.children.values())
        assert working == self.leaves(unknown=False)
        assert unknown == self.leaves(unknown=True)
        assert excess == self.excess
        assert unsent == 0 or not self.e.done
        assert canceled == 0 or self.e.done

    @invariant()
    def the_live_children_are_listed_in_order(self) -> None:
        assert [c.id for c in self.e.children] == [
            c.id for c in sorted(self.case.children.values(), key=lambda c: c.number) if c.live
        ]
        for child in self.e.children:
            assert child == self.case.children[child.id]


TestFold = Fold.TestCase


def test_late_evidence_never_moves_a_done_order() -> None:
    case = Case.working(qty=10)
    name = case.intend(10)
    case.hear(ChildExpired(OPEN, name))
    closing = apply(case.execution, Moved(OPEN, ORDER.CLOSING))
    case.execution = replace(apply(closing, Moved(OPEN, ORDER.EXPIRED)))
    for qty in (4, 6, 5):
        case.fill(name, qty)
        assert case.execution.status is ORDER.EXPIRED
    assert case.sums() == (15, 0, 0, 0, 0, 5)
