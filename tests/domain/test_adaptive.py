"""VWAP that bends as volume arrives: what is final stays final, and the rest is never lost."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain.adaptive import Adaptive
from app.domain.algos import BY_NAME
from app.domain.execution import accepted
from app.domain.instant import HOUR, MINUTE
from app.domain.market import Market
from app.domain.plan import Plan, Trajectory
from app.domain.seen import View, looks_back_to, profile, seen
from app.domain.tape_build import Trades, build_tape
from app.domain.task import Anchor, Task
from tests.domain.tasks import OPEN, SESSION, a_task, bending_curve

D = Decimal


def a_vwap(qty: int = 100_000, **params: object) -> Task:
    given_params = {"jitter": 0, "slices": 12, **params}
    return a_task("vwap", qty, length=HOUR, curve=bending_curve(5), params=given_params)


def plan_of(task: Task) -> Trajectory:
    return BY_NAME["vwap"].plan(task, Anchor(task.start, D(0)))


def stairs(task: Task, volumes: list[float]) -> list[Decimal]:
    """What may be done at each slice's moment, with the bins known that are over by then."""
    plan = plan_of(task)
    moments = [OPEN + 5 * k * MINUTE for k in range(13)]
    known = [Market(None, profile=tuple(volumes[:k])) for k in range(13)]
    found = [plan.envelope(at, m).may for at, m in zip(moments, known, strict=True)]
    return [D(0), *found[:-1]] if found[-1] == found[-2] else [D(0), *found]


volumes = st.lists(st.floats(0, 50_000), min_size=12, max_size=12)


@given(volumes)
def test_it_rises_to_the_whole(arriving: list[float]) -> None:
    reached = stairs(a_vwap(), arriving)
    assert all(a <= b for a, b in pairwise(reached))
    assert reached[-1] == 100_000


@given(volumes, volumes, st.integers(0, 11))
def test_the_future_changes_nothing_before(one: list[float], other: list[float], k: int) -> None:
    task = a_vwap()
    assert stairs(task, one)[: k + 2] == stairs(task, one[:k] + other[k:])[: k + 2]


def test_a_usual_day_is_the_static_plan() -> None:
    off, task = a_vwap(adaptive="off"), a_vwap()
    static = plan_of(off)
    assert isinstance(static, Plan)
    for bent, straight in zip(stairs(task, [5_000.0] * 12)[1:], static.may, strict=True):
        assert abs(bent - straight) <= 1


def test_a_burst_of_volume_brings_more_now_and_within_a_tenth_of_the_order() -> None:
    task = a_vwap()
    calm = stairs(task, [5_000.0] * 12)
    burst = stairs(task, [5_000.0] * 3 + [40_000.0] * 3 + [5_000.0] * 6)
    assert burst[:5] == calm[:5]
    assert burst[6] > calm[6]
    assert all(abs(b - c) <= 10_001 for b, c in zip(burst, calm, strict=True))


def test_without_days_of_history_it_stays_as_it_is() -> None:
    assert isinstance(plan_of(a_task("vwap")), Plan)
    assert isinstance(plan_of(a_vwap()), Adaptive)
    assert isinstance(plan_of(a_vwap(adaptive="off")), Plan)


def test_what_is_over_is_read_from_the_tape_and_nothing_later() -> None:
    task = a_vwap()
    at = [OPEN - 1, OPEN, OPEN + 5 * MINUTE, OPEN + 5 * MINUTE + 1, OPEN + HOUR]
    trades = Trades(at, [100] * 5, [7, 10, 20, 40, 80])
    since, until = OPEN - MINUTE, OPEN + 2 * HOUR
    tape = build_tape("XYZ", price_scale=1, size_scale=1, since=since, until=until, trades=trades)
    assert profile(tape, task, OPEN + 5 * MINUTE - 1) == ()
    # What a bin's last edge brings belongs to the next one, as in the curve's history.
    assert profile(tape, task, OPEN + 5 * MINUTE) == (10.0,)
    assert profile(tape, task, OPEN + 10 * MINUTE, D("0.5")) == (20.0, 120.0)
    late = tape.trimmed(OPEN + MINUTE)
    assert profile(late, task, OPEN + 10 * MINUTE) == (None, 60.0)
    market = seen(tape, View((SESSION,)), accepted(task), OPEN + 5 * MINUTE)
    assert market.profile == (10.0,)
    assert looks_back_to(task) == SESSION.opens_at
