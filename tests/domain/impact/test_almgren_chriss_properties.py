"""What holds for every Almgren–Chriss trajectory (reference: quant.md 1.4 e)."""

from itertools import pairwise
from math import inf

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.impact.almgren_chriss import (
    Model,
    at_pace,
    expected_cost,
    frontier,
    optimal,
    variance,
)
from app.domain.impact.trajectory import remaining_fractions, traded_fractions


@st.composite
def models(draw: st.DrawFn) -> Model:
    tau, n = draw(st.floats(1e-4, 2)), draw(st.integers(1, 60))
    eta = draw(st.floats(1e-9, 1e-4))
    return Model(
        sigma=draw(st.floats(0.01, 20)),
        eta=eta,
        gamma=draw(st.floats(0, 1)) * eta / tau,
        epsilon=draw(st.floats(0, 1)),
        tau=tau,
        n=n,
    )


paces = st.floats(0, 30)
"""kappa T."""
steps = st.floats(0, 3)
"""kappa tau."""
counts = st.integers(1, 80)
quantities = st.floats(1, 1e8)


@given(steps, counts)
def test_holdings_fall_from_all_to_nothing(kappa_tau: float, n: int) -> None:
    left = remaining_fractions(kappa_tau, n)
    assert len(left) == n + 1
    assert left[0] == 1.0
    assert left[-1] == 0.0
    assert all(a > b for a, b in pairwise(left))


@given(steps, counts)
def test_trades_are_positive_never_grow_and_sum_to_all(kappa_tau: float, n: int) -> None:
    traded = traded_fractions(kappa_tau, n)
    assert len(traded) == n
    assert sum(traded) == pytest.approx(1, rel=1e-12)
    assert all(t > 0 for t in traded)
    assert all(a >= b * (1 - 1e-12) for a, b in pairwise(traded))


@given(steps, counts)
def test_trades_are_the_steps_of_the_holdings(kappa_tau: float, n: int) -> None:
    fallen = [a - b for a, b in pairwise(remaining_fractions(kappa_tau, n))]
    assert fallen == pytest.approx(traded_fractions(kappa_tau, n), abs=1e-12)


@given(st.floats(0, 1e-7), counts)
def test_a_vanishing_pace_is_twap(kappa_tau: float, n: int) -> None:
    even = [(n - j) / n for j in range(n + 1)]
    assert remaining_fractions(kappa_tau, n) == pytest.approx(even, rel=1e-9)


@given(st.floats(0, allow_infinity=True, allow_nan=False), counts)
def test_any_pace_gives_fractions(kappa_tau: float, n: int) -> None:
    left = remaining_fractions(kappa_tau, n)
    assert all(0 <= b <= a <= 1 for a, b in pairwise(left))
    assert sum(traded_fractions(kappa_tau, n)) == pytest.approx(1, rel=1e-12)


@given(steps, st.integers(2, 80), st.data())
def test_planning_again_on_the_way_gives_the_same_rest(
    kappa_tau: float, n: int, data: st.DataObject
) -> None:
    """Time consistency, section 3.1: at k, from x_k, with n - k periods left."""
    left = remaining_fractions(kappa_tau, n)
    k = data.draw(st.integers(1, n - 1))
    again = remaining_fractions(kappa_tau, n - k)
    assert [left[k] * x for x in again] == pytest.approx(left[k:], rel=1e-9, abs=1e-300)


@given(models(), quantities, paces, paces)
def test_more_pace_costs_more_and_risks_less(model: Model, x: float, a: float, b: float) -> None:
    slow, fast = at_pace(model, x, min(a, b)), at_pace(model, x, max(a, b))
    assert slow.expected <= fast.expected * (1 + 1e-12)
    assert slow.variance >= fast.variance * (1 - 1e-12)


@given(models(), quantities, st.floats(0.1, 20))
def test_the_frontier_falls_with_slope_minus_lambda(model: Model, x: float, pace: float) -> None:
    assume(model.n > 1)
    h = pace * 1e-4
    before, after = at_pace(model, x, pace - h), at_pace(model, x, pace + h)
    # Far along, nothing is left to trade faster: both differences drown in rounding.
    assume(before.variance - after.variance > 1e-6 * after.variance)
    slope = (after.expected - before.expected) / (after.variance - before.variance)
    assume(abs(after.expected - before.expected) > 1e-7 * after.expected)
    assert slope == pytest.approx(-model.risk_aversion(pace / model.n), rel=1e-3)


@given(models(), quantities)
def test_the_frontier_is_convex(model: Model, x: float) -> None:
    points = frontier(model, x, (0.0, 1.0, 2.0, 4.0, 8.0, 16.0))
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        va, vb, vc = a.sd**2, b.sd**2, c.sd**2
        if va - vc <= 1e-9 * va:
            continue
        chord = a.expected + (c.expected - a.expected) * (vb - va) / (vc - va)
        assert b.expected <= chord * (1 + 1e-12)


@given(models(), quantities, st.floats(0.01, 100), paces)
def test_size_scales_holdings_and_impact(model: Model, x: float, c: float, pace: float) -> None:
    one, many = at_pace(model, x, pace), at_pace(model, c * x, pace)
    assert many.holdings == pytest.approx([c * h for h in one.holdings], rel=1e-12)
    fixed = model.epsilon * x
    assert many.expected - c * fixed == pytest.approx(
        c**2 * (one.expected - fixed), rel=1e-9, abs=1e-9 * max(many.expected, 1e-6)
    )
    assert many.variance == pytest.approx(c**2 * one.variance, rel=1e-9)


@given(models(), quantities, st.floats(1e-12, 1e-4), st.data())
def test_no_other_schedule_is_better(
    model: Model, x: float, aversion: float, data: st.DataObject
) -> None:
    found = optimal(model, x, aversion)
    moved = [
        h + data.draw(st.floats(-0.2, 0.2)) * x if 0 < j < model.n else h
        for j, h in enumerate(found.holdings)
    ]
    trades = [a - b for a, b in pairwise(moved)]
    best = found.expected + aversion * found.variance
    other = expected_cost(model, trades) + aversion * variance(model, moved)
    assert best <= other * (1 + 1e-9)


@given(models(), quantities, paces)
def test_a_buy_mirrors_a_sell(model: Model, x: float, pace: float) -> None:
    """The same shape with the other sign, at the same cost: no sign may leak into E or V."""
    sold, bought = at_pace(model, x, pace), at_pace(model, -x, pace)
    assert bought.holdings == tuple(-h for h in sold.holdings)
    assert bought.expected == pytest.approx(sold.expected, rel=1e-12)
    assert bought.variance == sold.variance


@given(models(), paces)
def test_risk_aversion_and_pace_are_inverse(model: Model, pace: float) -> None:
    aversion = model.risk_aversion(pace / model.n)
    assert model.kappa_tau(aversion) * model.n == pytest.approx(pace, rel=1e-9, abs=1e-12)


@given(st.floats(1, 1e6), st.floats(0, 20))
def test_permanent_cost_does_not_depend_on_the_schedule_as_periods_shrink(
    x: float, pace: float
) -> None:
    """sum tau x_k g(n_k/tau) -> gamma X^2/2, whatever the pace."""
    n, gamma = 20_000, 2.5e-7
    left, traded = remaining_fractions(pace / n, n), traded_fractions(pace / n, n)
    paid = gamma * x * x * sum(h * t for h, t in zip(left[1:], traded, strict=True))
    assert paid == pytest.approx(gamma * x * x / 2, rel=2e-3)


def test_infinite_pace_has_no_finite_aversion() -> None:
    model = Model(sigma=1, eta=1e-6, gamma=0, epsilon=0, tau=1, n=5)
    assert model.risk_aversion(1e9) == inf
