"""The fold: whatever happens in whatever order, the quantities add up."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.execution import accepted
from app.domain.fact import (
    Amended,
    BecameUnknown,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
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
from app.domain.lifecycle import ChildStatus, IllegalMove, OrderStatus
from app.domain.quantity import ZERO, Side
from app.domain.task import Anchor
from tests.domain.cases import Case
from tests.domain.tasks import OPEN, a_task

D = Decimal
ORDER, CHILD = OrderStatus, ChildStatus


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
