"""Waiting for evidence: not for ever, and never given up when it comes after all."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.actions import Cancel, Decision, Move
from app.domain.closing import CANCEL_UNANSWERED, CHILD_UNKNOWN, SEND_UNANSWERED, awaited, overdue
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import Execution
from app.domain.fact import (
    BecameUnknown,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildRejected,
    Moved,
    Purpose,
    Rested,
    Sent,
)
from app.domain.instant import HOUR, SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market
from app.domain.recovery import OPERATOR_AFTER
from tests.domain.cases import Case
from tests.domain.tasks import OPEN, SESSION
from tests.domain.test_algos import plan_of

LATE = OPERATOR_AFTER


def choose(ex: Execution, now: Instant = OPEN) -> Decision:
    return decide(ex, plan_of(ex.task, ex.anchor), Desk(), Market(None, session=SESSION), now)


def obey(case: Case, now: Instant = OPEN) -> list[object]:
    """What the order does by itself until it waits again."""
    done: list[object] = []
    while actions := choose(case.execution, now).actions:
        for action in actions:
            done.append(action)
            match action:
                case Move(status, reason):
                    case.order(Moved(now, status, reason))
                case Cancel(child_id, reason):
                    case.hear(ChildCancelRequested(now, child_id, reason))
    return done


def unknown(qty: int = 40) -> tuple[Case, str]:
    case = Case.working()
    name = case.intend(qty)
    case.hear(BecameUnknown(OPEN, name, "timeout"))
    return case, name


def waiting() -> tuple[Case, str]:
    case, name = unknown()
    move = overdue(case.execution, {name: LATE})
    assert move is not None
    case.order(Moved(OPEN, move.status, move.reason))
    return case, name


def test_only_those_whose_word_must_come_next_are_awaited() -> None:
    case, name = unknown()
    resting, canceling = case.intend(5, Purpose.REST), case.intend(6, Purpose.REST)
    for child in (resting, canceling):
        case.hear(Sent(OPEN, child, "b"))
        case.hear(Rested(OPEN, child))
    case.hear(ChildCancelRequested(OPEN, canceling, "patience_ended"))
    assert [c.id for c in awaited(case.execution, OPEN)] == [name, canceling]
    case.order(Moved(OPEN, OrderStatus.CLOSING, "user"))
    assert [c.id for c in awaited(case.execution, OPEN)] == [name, resting, canceling]


def test_a_child_that_stays_unknown_calls_an_operator() -> None:
    case, name = unknown()
    assert overdue(case.execution, {}) is None
    assert overdue(case.execution, {name: LATE - 1}) is None
    move = Move(OrderStatus.NEEDS_OPERATOR, CHILD_UNKNOWN)
    assert overdue(case.execution, {name: LATE}) == move
    assert overdue(case.execution, {name: 5 * SECOND}, bound=5 * SECOND) == move
    assert overdue(case.execution, {"c9": LATE}) is None, "an age of a child that is over"


@pytest.mark.parametrize(("asked", "reason"), [(True, CANCEL_UNANSWERED), (False, SEND_UNANSWERED)])
def test_a_closing_order_waits_only_so_long(asked: bool, reason: str) -> None:
    case = Case.working()
    name = case.intend(40)
    if asked:
        case.hear(Sent(OPEN, name, "b"))
        case.hear(ChildCancelRequested(OPEN, name, "user"))
    case.order(CancelRequested(OPEN, "user"), Moved(OPEN, OrderStatus.CLOSING, "user"))
    move = overdue(case.execution, {name: LATE})
    assert move == Move(OrderStatus.NEEDS_OPERATOR, reason)


def test_whoever_waits_for_an_operator_is_not_told_again() -> None:
    case, name = waiting()
    assert overdue(case.execution, {name: 9 * LATE}) is None
    assert obey(case) == []


def test_late_fills_bring_the_order_to_its_end() -> None:
    case, name = waiting()
    case.fill(name, 40)
    assert obey(case) == [
        Move(OrderStatus.CLOSING, CHILD_UNKNOWN),
        Move(OrderStatus.EXPIRED, CHILD_UNKNOWN),
    ]
    assert case.sums() == (40, 0, 0, 0, 60, 0)


def test_filled_by_late_evidence_it_is_filled() -> None:
    case, name = unknown(100)
    case.order(Moved(OPEN, OrderStatus.NEEDS_OPERATOR, CHILD_UNKNOWN))
    case.fill(name, 100)
    assert obey(case)[-1] == Move(OrderStatus.FILLED, None)


def test_a_child_found_at_work_is_canceled_and_awaited() -> None:
    case, name = waiting()
    case.hear(Sent(OPEN, name, "b"))
    assert obey(case) == [Cancel(name, "closing")]
    case.hear(ChildCanceled(OPEN, name))
    assert case.execution.unsent == 100
    obey(case, OPEN + HOUR)
    assert (case.execution.status, case.execution.reason) == (OrderStatus.EXPIRED, "window_ended")


def test_a_cancel_says_how_it_ends_and_waits_for_the_evidence_too() -> None:
    case, name = waiting()
    case.order(CancelRequested(OPEN, "operator"))
    assert obey(case) == []
    case.hear(ChildRejected(OPEN, name, "absent", absent=True))
    obey(case)
    assert (case.execution.status, case.execution.reason) == (OrderStatus.CANCELED, "operator")


def test_canceled_before_it_waited_it_does_not_go_in_circles() -> None:
    case, name = unknown()
    case.order(CancelRequested(OPEN, "user"))
    obey(case)
    assert case.execution.status is OrderStatus.CLOSING
    move = overdue(case.execution, {name: LATE})
    assert move is not None
    case.order(Moved(OPEN, move.status, move.reason))
    assert obey(case) == []
    case.fill(name, 40)
    obey(case)
    assert case.execution.status is OrderStatus.CANCELED


@pytest.mark.parametrize("reason", ["internal.AssertionError", "operator", None, "no_evidence"])
def test_what_stopped_for_another_reason_stands_still(reason: str | None) -> None:
    case, name = unknown()
    case.order(Moved(OPEN, OrderStatus.NEEDS_OPERATOR, reason))
    case.fill(name, 40)
    assert obey(case) == []
    assert obey(case, OPEN + HOUR) == []
    case.order(CancelRequested(OPEN, "operator"))
    assert obey(case) == [
        Move(OrderStatus.CLOSING, "operator"),
        Move(OrderStatus.CANCELED, "operator"),
    ]


def test_an_order_that_is_over_awaits_nothing() -> None:
    ex = replace(Case.working().execution, status=OrderStatus.CANCELED, canceled=Decimal(100))
    assert awaited(ex, OPEN) == ()
