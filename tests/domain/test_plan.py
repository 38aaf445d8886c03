"""Staircases: what may be done, what must be, and when either changes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.chance import symmetric, unit
from app.domain.plan import Step, staircase
from tests.domain.tasks import NO_MARKET

D = Decimal

steps = st.lists(
    st.builds(
        lambda at, patience, qty: Step(at, None if patience is None else at + patience, D(qty)),
        st.integers(0, 1000),
        st.none() | st.integers(0, 300),
        st.integers(0, 50),
    ),
    max_size=30,
)


def test_a_plan_starts_from_what_is_done() -> None:
    plan = staircase([Step(10, 15, D(3)), Step(20, 20, D(4))], done=D(5), interval=10)
    seen = [plan.envelope(now, NO_MARKET) for now in (9, 10, 14, 15, 19, 20, 99)]
    assert [e.may for e in seen] == [5, 8, 8, 8, 8, 12, 12]
    assert [e.must for e in seen] == [5, 5, 5, 8, 8, 12, 12]
    assert [e.next_at for e in seen] == [10, 15, 15, 20, 20, None, None]
    assert {e.step for e in seen} == {D(4)}


def test_an_empty_plan_asks_for_nothing() -> None:
    envelope = staircase([], done=D(7), interval=1).envelope(3, NO_MARKET)
    assert (envelope.must, envelope.may, envelope.next_at, envelope.step) == (7, 7, None, 0)


def test_what_may_rest_for_ever_never_must_cross() -> None:
    plan = staircase([Step(1, None, D(3))], done=D(0), interval=10)
    assert plan.envelope(10**9, NO_MARKET).must == 0
    assert plan.envelope(10**9, NO_MARKET).may == 3


@given(steps, st.integers(0, 100), st.lists(st.integers(-1, 1400), min_size=1))
def test_the_stairs_are_the_sums_of_their_steps(
    given_steps: list[Step], done: int, moments: list[int]
) -> None:
    plan = staircase(given_steps, done=D(done), interval=1)
    assert all(step.qty > 0 for step in plan.steps)
    assert plan.largest == max((s.qty for s in given_steps), default=D(0))
    before = None
    for now in sorted(moments):
        envelope = plan.envelope(now, NO_MARKET)
        assert envelope.may == done + sum(s.qty for s in given_steps if s.at <= now)
        due = [s for s in given_steps if s.due_at is not None and s.due_at <= now]
        assert envelope.must == done + sum(s.qty for s in due)
        assert done <= envelope.must <= envelope.may
        if before is not None:
            assert before.must <= envelope.must
            assert before.may <= envelope.may
        before = envelope


@given(steps, st.integers(0, 1400))
def test_nothing_changes_before_the_next_look(given_steps: list[Step], now: int) -> None:
    plan = staircase(given_steps, done=D(0), interval=1)
    envelope = plan.envelope(now, NO_MARKET)
    stairs = (envelope.must, envelope.may)
    if envelope.next_at is None:
        later = plan.envelope(10**9, NO_MARKET)
        assert (later.must, later.may) == stairs
        return
    assert envelope.next_at > now
    just_before = plan.envelope(envelope.next_at - 1, NO_MARKET)
    assert (just_before.must, just_before.may) == stairs
    there = plan.envelope(envelope.next_at, NO_MARKET)
    assert (there.must, there.may) != stairs


@given(st.text(max_size=20), st.integers(), st.integers())
def test_chance_is_bounded_and_repeats(seed: str, k: int, place: int) -> None:
    assert 0 <= unit(seed, k, place) < 1
    assert -1 <= symmetric(seed, k, place) < 1
    assert unit(seed, k, place) == unit(seed, k, place)


def test_chance_is_spread_evenly() -> None:
    draws = [unit("seed", k) for k in range(4000)]
    assert abs(sum(draws) / len(draws) - 0.5) < 0.02
    for low in (0.0, 0.25, 0.5, 0.75):
        assert abs(sum(low <= x < low + 0.25 for x in draws) / len(draws) - 0.25) < 0.03
    assert abs(sum(symmetric("seed", k) for k in range(4000)) / 4000) < 0.04


def test_chance_is_the_same_on_every_machine() -> None:
    assert unit("order-1", 3, 7) == 0.13226116768061735
