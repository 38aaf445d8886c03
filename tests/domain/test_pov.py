"""Percentage of volume: the arithmetic of the share, and what a print of any size does to it."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.algos import BY_NAME
from app.domain.instant import MINUTE
from app.domain.market import Anchored, Market
from app.domain.plan import CATCH_UP_SLICES, Envelope
from app.domain.task import Anchor, Task, Urgency
from app.domain.trigger import VolumeReaches
from tests.domain.tasks import OPEN, a_task

D = Decimal
ZERO = D(0)
WHOLE = Market(quote=None)


def a_pov(rate: str = "0.1", qty: int = 1000, **params: object) -> Task:
    return a_task("pov", qty, params={"rate": rate, **params}, length=60 * MINUTE)


def at(task: Task, others: int | Decimal, own: int = 0, coverage: str = "1") -> Envelope:
    plan = BY_NAME["pov"].plan(task, Anchor(task.start, ZERO))
    seen = Market(None, volume_coverage=D(coverage), anchored=Anchored(D(others), D(own)))
    return plan.envelope(OPEN, seen)


@pytest.mark.parametrize(
    ("rate", "others", "own"),
    # reference/quant.md 1.3: 10 % of the whole is 11.11 % of the others, 20 % 25, 30 % 42.86.
    [("0.1", 9_000, 1000), ("0.2", 4_000, 1000), ("0.3", 7_000, 3000), ("0.5", 700, 700)],
)
def test_own_volume_counts(rate: str, others: int, own: int) -> None:
    task = a_pov(rate, 10_000, child=1, placement="cross")
    assert at(task, others).may == own
    assert D(own) / (own + others) == D(rate)


def test_a_tenth_of_the_others_would_be_too_little() -> None:
    """The trap: 10 % of the others' volume is 9.09 % of the whole."""
    assert at(a_pov("0.1", 10_000, child=1, placement="cross"), 9_000).may > D(900)


shares = st.sampled_from(["0.01", "0.1", "0.3", "0.7"])
jitters = st.sampled_from(["0", "0.3", "0.5"])


@given(shares, jitters, st.integers(0, 100_000), st.integers(1, 400))
def test_never_beyond_the_share_and_at_most_a_child_behind(
    rate: str, jitter: str, others: int, child: int
) -> None:
    task = a_pov(rate, 1000, child=child, size_jitter=jitter)
    envelope = at(task, others)
    exact = min(D(rate) * others / (1 - D(rate)), D(1000))
    slack = child * (1 + D(jitter))
    assert exact - slack - child * D(jitter) <= envelope.may <= exact
    # The last child may be a part of one.
    assert envelope.may - 2 * slack <= envelope.must <= envelope.may


@given(shares, jitters, st.lists(st.integers(0, 5_000), min_size=2, max_size=20))
def test_both_stairs_rise_with_the_volume(rate: str, jitter: str, prints: list[int]) -> None:
    task = a_pov(rate, 1000, size_jitter=jitter)
    seen = [at(task, sum(prints[:k])) for k in range(len(prints) + 1)]
    for before, after in pairwise(seen):
        assert before.must <= after.must
        assert before.may <= after.may <= 1000
    assert seen[0].may == 0, "a market that does not trade is not traded with"


@given(shares, jitters, st.integers(0, 20_000), st.sampled_from(["1", "0.5", "0.02"]))
def test_the_trigger_is_the_exact_next_level(
    rate: str, jitter: str, others: int, coverage: str
) -> None:
    """Short of it nothing changes; there, something does."""
    task = a_pov(rate, 1000, size_jitter=jitter)
    now = at(task, others, own=7, coverage=coverage)
    if not now.triggers:
        assert now.must == 1000
        return
    (trigger,) = now.triggers
    assert isinstance(trigger, VolumeReaches)
    assert trigger.since == task.start
    needed = trigger.volume / D(coverage) - 7
    short = at(task, max(needed - 1, D(others)), own=7, coverage=coverage)
    assert (short.must, short.may) == (now.must, now.may)
    there = at(task, needed + D("1e-9"), own=7, coverage=coverage)
    assert there.must > now.must or there.may > now.may


@given(shares, st.integers(1, 50), st.integers(0, 3_000))
def test_with_all_volume_the_fills_scale(rate: str, times: int, others: int) -> None:
    """Every print `times` as large, and the order with it: `times` as much is done."""
    small = at(a_pov(rate, 1000, child=10), others)
    large = at(a_pov(rate, 1000 * times, child=10 * times), others * times)
    assert (large.must, large.may) == (small.must * times, small.may * times)


def test_how_many_may_rest_is_the_urgency() -> None:
    behind = {}
    for urgency in Urgency:
        task = a_task("pov", 1000, params={"child": 100}, urgency=urgency, length=60 * MINUTE)
        envelope = at(task, 9 * 500)
        behind[urgency] = envelope.may - envelope.must
    assert behind == {
        Urgency.LOW: 200,
        Urgency.NORMAL: 100,
        Urgency.HIGH: 100,
        Urgency.IMMEDIATE: 0,
    }


def test_from_an_anchor_only_what_traded_since_counts() -> None:
    task = a_pov("0.1", 1000, child=100)
    plan = BY_NAME["pov"].plan(task, Anchor(OPEN + MINUTE, D(300)))
    envelope = plan.envelope(OPEN + 2 * MINUTE, Market(None, anchored=Anchored(D(900))))
    assert (envelope.must, envelope.may) == (300, 400)
    assert plan.done == 300


def test_a_block_is_not_chased() -> None:
    """A deficit of more than two children is planned anew: see the toy world's bursts."""
    task = a_pov("0.1", 1000, child=10, placement="cross")
    envelope = at(task, 9_000)
    assert envelope.may == 1000
    assert envelope.may > CATCH_UP_SLICES * envelope.step


def test_told_to_finish_it_is_a_staircase_over_the_last_tenth() -> None:
    task = a_task("pov", 1000, params={"completion": "finish"}, length=100 * MINUTE)
    plan = BY_NAME["pov"].plan(task, Anchor(OPEN + 90 * MINUTE, D(400)))
    assert sum(step.qty for step in plan.steps) == 600
    assert max(step.qty for step in plan.steps) <= CATCH_UP_SLICES * D(10)
    assert plan.envelope(task.end, WHOLE).must == 1000
    before = BY_NAME["pov"].plan(task, Anchor(OPEN + 89 * MINUTE, D(400)))
    assert before.steps == ()
