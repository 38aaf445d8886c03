"""Executions declared void, and children that the broker knew before our journal did."""

import pytest

from app.domain.fact import ChildCanceled, Moved, Sent
from app.domain.lifecycle import ChildStatus, OrderStatus
from tests.domain.cases import Case
from tests.domain.tasks import OPEN

# sums are filled, working, unknown, unsent, canceled, excess


def test_a_bust_of_a_live_child_is_reserved_again() -> None:
    case = Case.working()
    name = case.intend(40)
    case.fill(name, 15)
    child = case.bust(name, 15)
    assert (child.filled, child.leaves, child.live) == (0, 40, True)
    assert case.sums() == (0, 40, 0, 60, 0, 0)
    case.fill(name, 40)
    assert case.sums() == (40, 0, 0, 60, 0, 0)


def test_a_bust_of_a_filled_child_leaves_it_in_doubt() -> None:
    """It was over by our sum alone: at the broker, where the fill never was, it may work on."""
    case = Case.working()
    name = case.intend(40)
    case.fill(name, 40)
    child = case.bust(name, 40)
    assert (child.status, child.leaves) == (ChildStatus.UNKNOWN, 40)
    assert case.sums() == (0, 0, 40, 60, 0, 0)
    case.hear(ChildCanceled(OPEN, name))
    assert case.sums() == (0, 0, 0, 100, 0, 0)
    case.intend(100)


def test_a_child_in_doubt_is_found_with_what_it_filled() -> None:
    case = Case.working()
    name = case.intend(40)
    case.fill(name, 15)
    case.fill(name, 25)
    case.bust(name, 15)
    assert case.sums() == (25, 0, 15, 60, 0, 0)
    case.hear(Sent(OPEN, name, "b1"))
    assert case.children[name].status is ChildStatus.PARTIALLY_FILLED
    assert case.sums() == (25, 15, 0, 60, 0, 0)


def test_a_canceled_child_is_in_doubt_after_a_bust() -> None:
    """Its end was believed for a sum: a fill that nobody heard of may make up the same."""
    case = Case.working()
    name = case.intend(40)
    case.fill(name, 15)
    case.hear(ChildCanceled(OPEN, name))
    assert case.bust(name, 15).status is ChildStatus.UNKNOWN
    assert case.sums() == (0, 0, 40, 60, 0, 0)
    case.fill(name, 15)
    case.hear(ChildCanceled(OPEN, name))
    assert case.sums() == (15, 0, 0, 85, 0, 0)


def test_a_bust_of_a_canceled_child_is_open_again_where_the_rest_was_sent() -> None:
    case = Case.working(qty=40)
    name = case.intend(40)
    case.fill(name, 15)
    case.hear(ChildCanceled(OPEN, name))
    case.intend(25)
    assert case.bust(name, 15).status is ChildStatus.CANCELED
    assert case.sums() == (0, 25, 0, 15, 0, 0)


def test_a_bust_after_the_end_is_given_up() -> None:
    case = Case.working(qty=40)
    name = case.intend(40)
    case.fill(name, 40)
    case.order(Moved(OPEN, OrderStatus.FILLED))
    case.bust(name, 40)
    assert case.sums() == (0, 0, 0, 0, 40, 0)
    assert case.execution.status is OrderStatus.FILLED


def test_a_bust_takes_from_the_excess_first() -> None:
    case = Case.working(qty=10)
    name = case.intend(10)
    case.fill(name, 4)
    case.fill(name, 11)
    assert case.sums() == (15, 0, 0, 0, 0, 5)
    assert case.bust(name, 4).status is ChildStatus.FILLED, "it still has all it asked for"
    assert case.sums() == (11, 0, 0, 0, 0, 1)
    case.bust(name, 11)
    assert case.sums() == (0, 0, 10, 0, 0, 0)


def test_a_bust_of_a_live_child_leaves_the_excess_of_others() -> None:
    case = Case.working()
    late = case.intend(40)
    case.hear(ChildCanceled(OPEN, late))
    rest = case.intend(100)
    case.fill(rest, 10)
    case.fill(late, 40)
    assert case.sums() == (50, 90, 0, 0, 0, 40)
    case.bust(rest, 10)
    assert case.sums() == (40, 100, 0, 0, 0, 40)


def test_a_correction_is_a_bust_and_a_fill_in_either_order() -> None:
    sums = set()
    for bust_first in (True, False):
        case = Case.working(qty=10)
        name = case.intend(10)
        case.fill(name, 10)
        for busts in (bust_first, not bust_first):
            if busts:
                case.bust(name, 10)
            else:
                case.fill(name, 9)
        filled, working, unknown, *others = case.sums()
        # One share is still reserved: the child works on, as far as we know.
        sums.add((filled, working + unknown, *others))
    assert sums == {(9, 1, 0, 0, 0)}


def test_more_cannot_be_void_than_was_filled() -> None:
    case = Case.working()
    name = case.intend(40)
    case.fill(name, 10)
    with pytest.raises(AssertionError, match="no more is void"):
        case.bust(name, 11)


def test_an_adopted_child_is_reserved_from_what_was_not_sent() -> None:
    case = Case.working()
    name = case.adopt(30, number=7)
    assert case.sums() == (0, 30, 0, 70, 0, 0)
    child = case.execution.child(name)
    assert child is not None
    assert (child.status, child.reason, child.broker_order_id) == (
        ChildStatus.SENT,
        None,
        "b7",
    )
    assert case.execution.next_child == 8
    case.fill(name, 30)
    assert case.sums() == (30, 0, 0, 70, 0, 0)


def test_an_adopted_child_with_a_low_number_keeps_its_place() -> None:
    case = Case.working()
    for _ in range(8):
        case.hear(Sent(OPEN, case.intend(1), "b"))
    case.hear(ChildCanceled(OPEN, "c3"))
    case.adopt(1, number=9)
    assert case.execution.next_child == 10
    del case.children["c3"]
    case.adopt(1, number=3)
    assert case.execution.next_child == 10
    assert [c.number for c in case.execution.children] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_what_is_adopted_beyond_the_order_is_excess_until_it_is_over() -> None:
    case = Case.working(qty=10)
    case.fill(case.intend(4), 4)
    name = case.adopt(9)
    assert case.sums() == (4, 9, 0, 0, 0, 3)
    case.hear(ChildCanceled(OPEN, name))
    with pytest.raises(AssertionError, match="owes an explanation"):
        case.intend(1)
    case.end()
    assert case.sums() == (4, 0, 0, 0, 6, 0), "nothing was filled beyond what was asked"


def test_an_order_that_is_over_adopts_only_what_is_over() -> None:
    case = Case.working(qty=10)
    case.end()
    with pytest.raises(AssertionError, match="reserves nothing"):
        case.adopt(4)
    name = case.adopt(4, live=False)
    assert case.sums() == (0, 0, 0, 0, 10, 0)
    assert case.children[name].status is ChildStatus.CANCELED
    case.fill(name, 4)
    assert case.sums() == (4, 0, 0, 0, 6, 0)
    assert case.children[name].status is ChildStatus.FILLED


def test_an_adopted_child_that_is_over_reserves_nothing() -> None:
    case = Case.working(qty=10)
    name = case.adopt(4, live=False)
    assert case.sums() == (0, 0, 0, 10, 0, 0)
    assert case.execution.children == ()
    case.fill(name, 3)
    assert case.sums() == (3, 0, 0, 7, 0, 0)


def test_what_is_known_is_neither_intended_nor_adopted_again() -> None:
    case = Case.working()
    case.adopt(5, number=7)
    with pytest.raises(AssertionError, match="not adopted"):
        case.adopt(5, number=7)
