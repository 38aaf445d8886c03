"""The tables of legal moves: complete, closed, and never left through the back door."""

from enum import StrEnum
from itertools import product
from typing import TypeVar

import pytest

from app.domain.lifecycle import (
    CHILD_DONE,
    CHILD_MOVES,
    ORDER_DONE,
    ORDER_MOVES,
    ChildStatus,
    IllegalMove,
    OrderStatus,
    move_child,
    move_order,
)

O, C = OrderStatus, ChildStatus  # noqa: E741
S = TypeVar("S", bound=StrEnum)


def reachable(start: S, moves: dict[S, frozenset[S]]) -> set[S]:
    seen, ahead = {start}, [start]
    while ahead:
        new = moves[ahead.pop()] - seen
        seen |= new
        ahead.extend(new)
    return seen


def test_every_status_has_a_row() -> None:
    assert set(ORDER_MOVES) == set(OrderStatus)
    assert set(CHILD_MOVES) == set(ChildStatus)


@pytest.mark.parametrize(("old", "new"), list(product(OrderStatus, OrderStatus)))
def test_an_order_moves_only_by_the_table(old: OrderStatus, new: OrderStatus) -> None:
    if new in ORDER_MOVES[old]:
        assert move_order("o1", old, new) is new
        return
    with pytest.raises(IllegalMove, match=f"order o1 cannot go from {old} to {new}"):
        move_order("o1", old, new)


@pytest.mark.parametrize(("old", "new"), list(product(ChildStatus, ChildStatus)))
def test_a_child_moves_only_by_the_table(old: ChildStatus, new: ChildStatus) -> None:
    if new is old or new in CHILD_MOVES[old]:
        assert move_child("c1", old, new) is new
        return
    with pytest.raises(IllegalMove, match=f"child c1 cannot go from {old} to {new}"):
        move_child("c1", old, new)


def test_a_done_order_stays_done() -> None:
    assert {s for s in OrderStatus if not ORDER_MOVES[s]} == ORDER_DONE
    assert {O.FILLED, O.CANCELED, O.EXPIRED, O.REJECTED} == ORDER_DONE


def test_a_done_child_moves_only_by_a_late_fill_or_a_bust() -> None:
    assert {C.FILLED, C.CANCELED, C.REJECTED, C.EXPIRED} == CHILD_DONE
    assert CHILD_MOVES[C.FILLED] == {C.UNKNOWN, C.CANCELED}
    assert CHILD_MOVES[C.CANCELED] == CHILD_MOVES[C.EXPIRED] == {C.FILLED, C.UNKNOWN}
    assert CHILD_MOVES[C.REJECTED] == {C.FILLED}


def test_no_order_moves_to_where_it_is() -> None:
    assert all(status not in ORDER_MOVES[status] for status in OrderStatus)


def test_every_status_can_be_reached_and_left() -> None:
    assert reachable(O.ACCEPTED, ORDER_MOVES) == set(OrderStatus)
    assert reachable(C.INTENT, CHILD_MOVES) == set(ChildStatus)
    for status in set(OrderStatus) - ORDER_DONE:
        assert reachable(status, ORDER_MOVES) & ORDER_DONE
    for child_status in set(ChildStatus) - CHILD_DONE:
        assert reachable(child_status, CHILD_MOVES) >= CHILD_DONE - {C.REJECTED}


def test_an_order_that_worked_is_given_up_only_through_closing() -> None:
    for given_up in (O.CANCELED, O.EXPIRED):
        assert {s for s in OrderStatus if given_up in ORDER_MOVES[s]} == {O.CLOSING}


def test_nothing_goes_back_to_before_it_was_sent() -> None:
    assert all(C.INTENT not in CHILD_MOVES[s] for s in ChildStatus)
    assert {s for s in ChildStatus if C.UNKNOWN in CHILD_MOVES[s]} == {
        C.INTENT,
        C.SENT,
        C.FILLED,  # Its execution was void.
        C.CANCELED,
        C.EXPIRED,
    }
    assert all(O.ACCEPTED not in ORDER_MOVES[s] for s in OrderStatus)
