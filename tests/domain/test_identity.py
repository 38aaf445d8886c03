"""Ids of children: computed, short, readable by any broker, and ours to recognise."""

import re
import uuid
from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identity import child_id, order_key, parse_child
from app.domain.refusal import Refusal

ORDER = "01938f2c-7b1e-7c3a-9d4e-8f1a2b3c4d5e"
LAST = 36**4 - 1

orders = st.uuids().map(str)
numbers = st.integers(1, LAST)


@given(orders, numbers)
def test_an_id_fits_every_broker_and_leads_back_to_its_order(order_id: str, number: int) -> None:
    name = child_id(order_id, number)
    assert re.fullmatch(r"[a-z0-9-]{1,18}", name)
    assert parse_child(name) == (order_key(order_id), number)
    assert child_id(order_id.replace("-", "").upper(), number) == name


@given(orders, orders, numbers, numbers)
def test_two_children_share_an_id_only_if_they_are_one(
    first: str, second: str, one: int, two: int
) -> None:
    same = uuid.UUID(first).int % 2**56 == uuid.UUID(second).int % 2**56 and one == two
    assert (child_id(first, one) == child_id(second, two)) == same


@given(st.lists(numbers, min_size=2, max_size=50, unique=True))
def test_children_of_one_order_are_told_apart(found: list[int]) -> None:
    assert len({child_id(ORDER, number) for number in found}) == len(found)


@given(st.integers(0, 55))
def test_every_bit_of_the_random_end_counts(bit: int) -> None:
    other = uuid.UUID(int=uuid.UUID(ORDER).int ^ (1 << bit))
    assert order_key(str(other)) != order_key(ORDER)


def test_ids_never_change_between_releases() -> None:
    """A child in a broker's book today must be found by the code of tomorrow."""
    assert order_key(ORDER) == "61q6s2i0mse"
    assert child_id(ORDER, 1) == "sl61q6s2i0mse-1"
    assert child_id(ORDER, 36) == "sl61q6s2i0mse-10"
    assert child_id(ORDER, LAST) == "sl61q6s2i0mse-zzzz"
    low, high = str(uuid.UUID(int=0)), str(uuid.UUID(int=2**128 - 1))
    assert (order_key(low), len(order_key(high))) == ("0" * 11, 11)


def test_the_ids_of_an_order_run_out_with_a_refusal() -> None:
    assert len(child_id(ORDER, LAST)) == 18
    with pytest.raises(Refusal, match="used up") as refused:
        child_id(ORDER, LAST + 1)
    assert refused.value.code == "too_many_children"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sl",
        "sl-1",
        "sl61q6s2i0mse",
        "sl61q6s2i0mse-",
        "61q6s2i0mse-1",
        "xx61q6s2i0mse-1",
        "sl61q6s2i0ms-1",
        "sl61q6s2i0msey-1",
        "sl61q6s2i0mse-1-2",
        "sl61q6s2i0mse-zzzzz",
        "SL61Q6S2I0MSE-1",
        "sl61q6s2i0ms -1",
        "sl61q6s2i0mse-1\n",
        "sl61q6s2i0ms\N{SUPERSCRIPT TWO}-1",
    ],
)
def test_what_is_not_ours_has_no_key(text: str) -> None:
    assert parse_child(text) is None


@given(st.text(ascii_lowercase + digits + "-", max_size=20))
def test_what_has_a_key_has_our_form(text: str) -> None:
    ours = re.fullmatch(r"sl([a-z0-9]{11})-([a-z0-9]{1,4})", text)
    assert parse_child(text) == ((ours.group(1), int(ours.group(2), 36)) if ours else None)
