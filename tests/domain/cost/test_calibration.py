"""What outcomes teach: scales that are found again, and that little evidence hardly moves."""

import random
from dataclasses import replace
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.cost.calibration import (
    IMPACT_RANGE,
    LEAST,
    PUBLISHED,
    SPREAD_RANGE,
    Outcome,
    calibrate,
)


def made(
    n: int, *, spread: float = 1.0, impact: float = 1.0, sd: float = 20.0, seed: int = 1
) -> list[Outcome]:
    """Outcomes of a house in which the true scales are these."""
    chance = random.Random(seed)
    found = []
    for _ in range(n):
        half, market = chance.uniform(0.5, 6), chance.lognormvariate(1.5, 0.8)
        noise = chance.gauss(0, sd)
        found.append(Outcome(half, market, sd, spread * half + impact * market + noise))
    return found


def test_few_outcomes_change_nothing() -> None:
    assert calibrate(made(LEAST - 1, impact=5, sd=0.1)) is PUBLISHED
    assert calibrate([]) is PUBLISHED


def test_many_outcomes_find_the_scales() -> None:
    found = calibrate(made(20_000, spread=0.6, impact=1.4))
    assert found.spread_scale == pytest.approx(0.6, abs=0.1)
    assert found.impact_scale == pytest.approx(1.4, abs=0.1)
    assert found.source == "calibrated:n=20000"


def test_few_and_noisy_outcomes_hardly_move_it() -> None:
    """Sixty orders in the noise of 60 bp say next to nothing, whatever came out."""
    for seed in range(20):
        found = calibrate(made(60, impact=1.0, sd=60.0, seed=seed))
        assert found.impact_scale == pytest.approx(1, abs=0.5)
    exact = calibrate(made(60, impact=2.0, sd=1.0))
    assert exact.impact_scale == pytest.approx(2, abs=0.1)


def test_one_outcome_gone_wild_does_not_decide() -> None:
    calm = made(2_000, impact=1.2)
    wild = [*calm, *(Outcome(3, 10, 20, 50_000.0) for _ in range(20))]
    assert calibrate(wild).impact_scale == pytest.approx(calibrate(calm).impact_scale, abs=0.25)


def test_timing_risk_that_was_told_too_small_does_not_make_it_sure() -> None:
    honest = made(200, impact=3.0, sd=50.0)
    boastful = [replace(o, sd=0.5) for o in honest]
    assert calibrate(boastful).impact_scale == pytest.approx(
        calibrate(honest).impact_scale, abs=0.2
    )


def test_what_is_no_number_is_left_out() -> None:
    broken = [Outcome(nan, 1, 1, 1), Outcome(1, 1, 0, 1)] * 100
    assert calibrate(broken) is PUBLISHED
    good = made(100)
    assert calibrate([*good, *broken]) == calibrate(good)


outcomes = st.builds(
    Outcome,
    st.floats(0, 1e3),
    st.floats(0, 1e4),
    st.floats(1e-3, 1e4),
    st.floats(-1e6, 1e6),
)


@given(st.lists(outcomes, min_size=LEAST, max_size=80))
def test_any_history_gives_scales_within_bounds(history: list[Outcome]) -> None:
    found = calibrate(history)
    assert SPREAD_RANGE[0] <= found.spread_scale <= SPREAD_RANGE[1]
    assert IMPACT_RANGE[0] <= found.impact_scale <= IMPACT_RANGE[1]
    assert calibrate(history[::-1]).impact_scale == pytest.approx(found.impact_scale, rel=1e-6)


@given(st.integers(0, 50))
def test_outcomes_as_expected_leave_it_at_one(seed: int) -> None:
    history = [replace(o, realised=o.spread + o.market) for o in made(100, seed=seed)]
    assert calibrate(history).impact_scale == pytest.approx(1, abs=1e-9)
    assert calibrate(history).spread_scale == pytest.approx(1, abs=1e-9)
