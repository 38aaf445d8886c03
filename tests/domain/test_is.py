"""Implementation shortfall: the slices of Almgren and Chriss, also after planning anew."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.algos import BY_NAME
from app.domain.impact.trajectory import remaining_fractions, urgency_pace
from app.domain.instant import HOUR, MINUTE
from app.domain.quantity import Side
from app.domain.task import Anchor, Task, Urgency
from tests.domain.tasks import OPEN, a_task

D = Decimal
X = 10**9


def a_plan(pace: str | None = "3", slices: int = 12, **fields: object) -> Task:
    params = {"slices": slices, "jitter": 0} | ({"kappa_t": pace} if pace is not None else {})
    return a_task("is", X, length=HOUR, params=params, **fields)  # type: ignore[arg-type]


def done(task: Task, anchor: Anchor) -> list[Decimal]:
    return list(BY_NAME["is"].plan(task, anchor).may)  # type: ignore[attr-defined]


def test_the_slices_are_the_optimal_trajectory() -> None:
    """Equation 17 of the paper, to the rounding of shares."""
    task = a_plan("3", 12)
    holdings = remaining_fractions(3 / 12, 12)
    for filled, left in zip(done(task, Anchor(OPEN, D(0))), holdings[1:], strict=True):
        assert abs(float(filled) / X - (1 - left)) < 1e-8


@given(st.sampled_from(["0.001", "0.5", "3", "10"]), st.integers(1, 11))
def test_planned_anew_on_the_way_nothing_changes(pace: str, k: int) -> None:
    """Time consistency: A-C, section 3.1."""
    task = a_plan(pace, 12)
    first = done(task, Anchor(OPEN, D(0)))
    again = done(task, Anchor(OPEN + k * 5 * MINUTE, first[k - 1]))
    # Far down the curve what is left are single shares.
    for before, after in zip(first[k:][::-1], again[::-1], strict=False):
        assert abs(before - after) <= 2


@given(st.sampled_from(["0.001", "0.5", "3", "30", "100"]), st.sampled_from(list(Side)))
def test_every_slice_is_at_most_the_one_before(pace: str, side: Side) -> None:
    stairs = [D(0), *done(a_plan(pace, 12, side=side), Anchor(OPEN, D(0)))]
    sizes = [b - a for a, b in pairwise(stairs)]
    assert sum(sizes) == X
    assert all(after <= before + 1 for before, after in pairwise(sizes))


def test_without_urgency_it_is_a_twap() -> None:
    stairs = done(a_plan("0", 10), Anchor(OPEN, D(0)))
    assert stairs == [D(X) * k / 10 for k in range(1, 11)]


@pytest.mark.parametrize("urgency", list(Urgency))
def test_the_order_s_urgency_sets_the_pace(urgency: Urgency) -> None:
    told = a_plan(str(urgency_pace(urgency)))
    assert done(a_plan(None, urgency=urgency), Anchor(OPEN, D(0))) == done(told, Anchor(OPEN, D(0)))
