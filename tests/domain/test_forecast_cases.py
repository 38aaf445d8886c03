"""The curve that is bent as volume arrives: cases, and the filter against its oracle."""

from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.dynamics import Dynamics
from app.domain.forecast import (
    ADAPT_UNTIL,
    MAX_DEVIATION,
    Window,
    adaptive_weights,
    forecast,
    session_bins,
)
from app.domain.instant import DAY, HOUR, MINUTE
from app.domain.session import Session
from app.domain.volume import curve_from_history, default_curve
from tests.domain.curves import (
    BIN,
    BINS,
    FULL,
    HALF,
    LONG,
    OPEN,
    a_curve,
    even,
    static,
)


def test_a_busy_market_brings_the_order_forward_and_then_fades() -> None:
    curve = a_curve()
    usual = [1e6 * share for share in curve.shares[:8]]
    busy = [*usual[:-1], 3 * usual[-1]]
    left, expected = forecast(curve, busy), forecast(curve, usual)
    ratios = [a / b for a, b in zip(left, expected, strict=True)]
    assert ratios[0] > 1.15
    # The rest of the morning less and less; the close shows a busy day only in part.
    assert all(a > b for a, b in pairwise(ratios[:16]))
    assert ratios[-1] < 1 < ratios[0]
    assert adaptive_weights(curve, FULL, even(FULL), busy)[8] > curve.shares[8] * 1.15


def test_the_schedule_runs_no_further_ahead_than_the_guard_allows() -> None:
    """Busy all morning, and never taken for the day's level: unguarded it would be far ahead."""
    sure = Dynamics(1e6, 1e-9, 1.0, 1e-9, 0.9, 1.0)
    curve = replace(a_curve(), dynamics=sure)
    busy = [(1.5**k) * 1e6 * share for k, share in enumerate(curve.shares[:12])]
    weights = adaptive_weights(curve, FULL, even(FULL), busy)
    ahead = [a - b for a, b in zip(accumulate(weights), accumulate(curve.shares), strict=True)]
    assert max(ahead) == pytest.approx(MAX_DEVIATION)
    assert weights[-1] == pytest.approx(curve.shares[-1], abs=0.1)


def test_without_a_scale_the_close_is_not_judged_by_the_first_bin() -> None:
    curve = a_curve(level=None)
    observed = [5 * curve.shares[0], *curve.shares[1:6]]
    left = forecast(curve, observed)
    rest = curve.shares[6:]
    assert left[-1] / left[-6] == pytest.approx(rest[-1] / rest[-6], rel=1e-3)


def test_empty_bins_before_the_first_trade_wait_for_no_scale() -> None:
    """How little they are compared to what trades later is not known when they are over."""
    curve = a_curve(level=None)
    seen = [0.0, 0.0, 0.0]
    before = adaptive_weights(curve, FULL, even(FULL), seen)[:4]
    assert adaptive_weights(curve, FULL, even(FULL), [*seen, 9.0, 5.0, 0.0])[:4] == before


@given(st.lists(st.none() | st.floats(-0.5, 0.5), min_size=1, max_size=20))
def test_it_is_what_follows_from_normal_surprises(logs: list[float | None]) -> None:
    """Against the conditional mean of a normal vector, computed with its covariance matrix."""
    curve = a_curve()
    dynamics = curve.dynamics
    assert dynamics is not None
    assert dynamics.level is not None
    observed = [
        None if x is None else dynamics.level * share * float(np.exp(x))
        for x, share in zip(logs, curve.shares, strict=False)
    ]
    apart = np.abs(np.subtract.outer(np.arange(BINS), np.arange(BINS)))
    smooth = dynamics.level_variance + dynamics.surprise_variance * dynamics.persistence**apart
    known = [k for k, x in enumerate(logs) if x is not None]
    values = np.array([x for x in logs if x is not None])
    within = smooth[np.ix_(known, known)] + dynamics.noise_variance * np.eye(len(known))
    expected = smooth[:, known] @ np.linalg.solve(within, values) if known else np.zeros(BINS)
    bent = np.array(curve.shares) * np.exp(expected)
    # The last bin of a quarter of an hour is the close.
    bent[-1] = curve.shares[-1] * np.exp(expected[-1] * dynamics.closing)
    left = bent[len(logs) :] / bent[len(logs) :].sum()
    assert sum(curve.shares[: len(logs)]) < ADAPT_UNTIL
    assert forecast(curve, observed) == pytest.approx(tuple(left), rel=1e-9)


def test_a_block_print_is_bounded() -> None:
    curve = a_curve()
    usual = [1e6 * share for share in curve.shares[:8]]
    block, larger = [*usual[:-1], 20 * usual[-1]], [*usual[:-1], 2000 * usual[-1]]
    assert forecast(curve, block) == forecast(curve, larger)


@pytest.mark.parametrize("session", [FULL, HALF, LONG])
def test_a_session_has_the_curves_bins_from_its_open_to_its_close(session: Session) -> None:
    curve = a_curve()
    edges = session_bins(curve, session)
    assert (edges[0], edges[-1]) == (session.opens_at, session.closes_at)
    assert [b - a for a, b in pairwise(edges)] == [BIN] * (session.length // BIN)
    slots = even(session)
    expected = [1e6 * curve.between(session, a, b) for a, b in slots[:5]]
    busy = [3 * volume for volume in expected]
    weights, usual = adaptive_weights(curve, session, slots, busy), static(curve, session, slots)
    assert adaptive_weights(curve, session, slots, expected) == pytest.approx(usual)
    # The first slot begins before anything is known.
    assert weights[0] == pytest.approx(usual[0])
    assert weights[-1] < usual[-1]


def test_a_bin_cut_by_an_early_close_is_the_last() -> None:
    odd = Session(OPEN, OPEN + 200 * MINUTE)
    edges = session_bins(a_curve(), odd)
    assert edges[-2:] == (OPEN + 195 * MINUTE, OPEN + 200 * MINUTE)


def test_curves_without_dynamics_stay_as_they_are() -> None:
    wild = [1.0, 10**9, 0.0, 5.0]
    usual = default_curve(FULL)
    slots = even(FULL)
    assert usual.dynamics is None
    expected = static(usual, FULL, slots)
    assert adaptive_weights(usual, FULL, slots, wild) == pytest.approx(expected)
    rest = usual.shares[4:]
    assert forecast(usual, wild) == pytest.approx([share / sum(rest) for share in rest])
    periodic = curve_from_history([[1.0] * 24], bin_length=HOUR, periodic=True)
    assert periodic is not None
    assert periodic.dynamics is None
    assert session_bins(periodic, Session(OPEN, OPEN + 3 * DAY)) == ()


def test_a_window_where_nothing_is_expected_goes_by_time() -> None:
    after = FULL.closes_at
    slots = [(after, after + 2 * MINUTE), (after + 2 * MINUTE, after + 3 * MINUTE)]
    assert adaptive_weights(a_curve(), FULL, slots, [1.0]) == pytest.approx((2 / 3, 1 / 3))


def test_a_window_can_be_weighed_again_and_again() -> None:
    curve = a_curve()
    window = Window(curve, FULL, even(FULL))
    observed = [3e6 * share for share in curve.shares]
    for count in (5, 20, 0, 5):
        once = adaptive_weights(curve, FULL, even(FULL), observed[:count])
        assert window.weights(observed[:count]) == once
