"""What a usual day would bring an order that follows the market's volume."""

from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.algos import BY_NAME
from app.domain.expected_path import KNOTS, STEPS_MAX, expected_steps, follows_volume
from app.domain.instant import HOUR, MINUTE
from app.domain.quantity import ZERO
from app.domain.scheduling import finish_at
from app.domain.task import Anchor, Task, Urgency
from tests.domain.tasks import OPEN, SESSION, a_task

D = Decimal
V = D(1_000_000)


def brought(task: Task, at: int, daily: Decimal = V) -> Decimal:
    return daily * D(task.curve.between(task.session, task.start, at))


def a_pov(qty: int = 100_000, rate: str = "0.1", **given: Any) -> Task:
    params = {"rate": rate, **given.pop("params", {})}
    return a_task("pov", qty, params=params, length=SESSION.length, **given)


def test_a_day_at_ten_per_cent_is_a_ninth_of_what_others_trade() -> None:
    """quant.md: 10 % of the whole is 11.11 % of the others, 111,111 shares of a million."""
    steps = expected_steps(a_pov(), V)
    assert sum(step.qty for step in steps) == 100_000
    assert {step.qty for step in steps} == {D(2_000)}
    task = a_pov()
    for step, done in zip(steps, accumulate(step.qty for step in steps), strict=True):
        assert abs(brought(task, step.at) - done * 9) < 9 * 2_000
    # It can cross a child later, when another 18,000 have traded.
    assert [step.due_at for step in steps[:-1]] == [step.at for step in steps[1:]]
    assert steps[-1].due_at is not None
    assert brought(task, steps[-1].due_at) > 917_000


def test_what_the_volume_does_not_bring_is_left_or_finished() -> None:
    left = expected_steps(a_pov(200_000), V)
    assert 108_000 <= sum(step.qty for step in left) <= 111_111
    assert left[-1].due_at is None
    task = a_pov(200_000, params={"completion": "finish"})
    finished = expected_steps(task, V)
    assert sum(step.qty for step in finished) == 200_000
    done = sum((step.qty for step in finished if step.at < finish_at(task)), ZERO)
    planned = BY_NAME["pov"].plan(task, Anchor(finish_at(task), done))
    assert finished[-len(planned.steps) :] == planned.steps


def test_a_cap_below_the_rate_is_the_rate() -> None:
    capped = expected_steps(a_pov(rate="0.4", cap="0.1"), V)
    assert [s.at for s in capped] == [s.at for s in expected_steps(a_pov(), V)]


def test_only_a_share_of_the_volume_is_told_and_only_of_a_known_day() -> None:
    assert expected_steps(a_pov(), None) == expected_steps(a_pov(), ZERO) == ()
    assert expected_steps(a_task("twap"), V) == ()
    assert [name for name in BY_NAME if follows_volume(a_task(name, limit="9"))] == ["pov"]


@given(
    qty=st.integers(1, 3_000_000),
    rate=st.sampled_from(["0.0001", "0.05", "0.3", "0.9"]),
    child=st.sampled_from([None, 1, 700]),
    max_child=st.sampled_from([None, 1, 300]),
    jitter=st.sampled_from(["0", "0.5"]),
    urgency=st.sampled_from(list(Urgency)),
    daily=st.integers(1, 10**9),
)
def test_no_path_is_faster_than_its_rate(
    qty: int,
    rate: str,
    child: int | None,
    max_child: int | None,
    jitter: str,
    urgency: Urgency,
    daily: int,
) -> None:
    params = {"child": child, "max_child": max_child, "size_jitter": jitter}
    task = a_pov(qty, rate=rate, params=params, urgency=urgency)
    steps = expected_steps(task, D(daily))
    assert len(steps) <= STEPS_MAX + 1
    assert sum(step.qty for step in steps) <= qty
    assert all(step.qty > 0 for step in steps)
    assert all(a.at <= b.at for a, b in pairwise(steps))
    assert all(step.due_at is None or step.at <= step.due_at <= task.end for step in steps)
    ratio = D(rate) / (1 - D(rate))
    knot = SESSION.length // KNOTS + 1
    for step, done in zip(steps, accumulate(step.qty for step in steps), strict=True):
        # The curve bends within a knot; the path is told to its ends.
        assert done <= ratio * brought(task, min(step.at + knot, task.end), D(daily)) * D("1.0001")


def test_an_hour_in_the_middle() -> None:
    task = a_task("pov", 10_000, start=OPEN + 2 * HOUR, length=60 * MINUTE)
    steps = expected_steps(task, V)
    assert steps[0].at > task.start
    by_end = brought(task, task.end) / 9
    assert sum(s.qty for s in steps) == min(by_end // 200 * 200, D(10_000))
