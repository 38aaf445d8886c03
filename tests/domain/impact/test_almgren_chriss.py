"""Almgren–Chriss against the paper's worked example, and against the mistakes others made."""

from dataclasses import replace
from math import cosh, exp, inf, nan, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize

from app.domain.impact.almgren_chriss import (
    Model,
    at_pace,
    expected_cost,
    frontier,
    optimal,
    variance,
)
from app.domain.impact.trajectory import remaining_fractions, traded_fractions, urgency_pace
from app.domain.task import Urgency

X = 1_000_000.0
TABLE_1 = Model(sigma=0.95, eta=2.5e-6, gamma=2.5e-7, epsilon=0.0625, tau=1.0, n=5)
"""Table 1 of the December 2000 text: S0 = 50, T = 5 days, N = 5."""


def test_the_worked_example() -> None:
    found = optimal(TABLE_1, X, 1e-6)
    assert found.kappa == pytest.approx(0.6070761632, rel=1e-9)
    assert found.theta == pytest.approx(1.6472398, rel=1e-7)
    assert found.holdings[1:5] == pytest.approx(
        (541_955.55, 289_854.22, 147_897.49, 62_141.80), rel=1e-7
    )
    assert found.expected == pytest.approx(911_226.986, rel=1e-8)
    assert found.variance == pytest.approx(3.64128572e11, rel=1e-8)
    assert found.sd == pytest.approx(603_430.669, rel=1e-8)
    assert found.value_at_risk(1.645) == pytest.approx(911_226.986 + 1.645 * 603_430.669, rel=1e-8)
    # "kappa ~ 0.6/day, so kappa T ~ 3".
    assert found.kappa * 5 == pytest.approx(3, abs=0.05)
    assert urgency_pace(Urgency.NORMAL) == 3


def test_without_risk_aversion_it_is_twap() -> None:
    found = optimal(TABLE_1, X, 0)
    assert found.holdings == (1_000_000, 800_000, 600_000, 400_000, 200_000, 0)
    assert found.kappa == 0
    assert found.theta == inf
    assert found.expected == pytest.approx(662_500, rel=1e-12)
    assert found.variance == pytest.approx(1.083e12, rel=1e-12)
    assert found.sd == pytest.approx(1_040_672.9, rel=1e-7)


def test_the_closed_forms_of_equation_20_agree() -> None:
    """E(X) and V(X) as the paper writes them, which never sum over periods."""
    model, k = TABLE_1, 0.6070761632
    tau, whole = model.tau, model.tau * model.n
    sinh = np.sinh
    e = model.gamma * X**2 / 2 + model.epsilon * X
    e += (
        model.eta_tilde
        * X**2
        * np.tanh(k * tau / 2)
        * (tau * sinh(2 * k * whole) + 2 * whole * sinh(k * tau))
        / (2 * tau**2 * sinh(k * whole) ** 2)
    )
    v = (
        model.sigma**2
        / 2
        * X**2
        * (tau * sinh(k * whole) * cosh(k * (whole - tau)) - whole * sinh(k * tau))
        / (sinh(k * whole) ** 2 * sinh(k * tau))
    )
    found = optimal(model, X, 1e-6)
    assert found.expected == pytest.approx(e, rel=1e-9)
    assert found.variance == pytest.approx(v, rel=1e-9)


def test_a_numerical_optimizer_finds_the_same() -> None:
    aversion = 1e-6

    def utility(inner: np.ndarray) -> float:
        x = np.concatenate(([X], inner * X, [0.0]))
        trades = [float(t) for t in -np.diff(x)]
        return (expected_cost(TABLE_1, trades) + aversion * variance(TABLE_1, list(x))) / 1e6

    solved = minimize(utility, np.linspace(0.8, 0.2, 4), method="Nelder-Mead", options=_FINE)
    found = optimal(TABLE_1, X, aversion)
    assert solved.x * X == pytest.approx(found.holdings[1:5], rel=1e-4)
    assert utility(np.array(found.holdings[1:5]) / X) <= solved.fun + 1e-12


_FINE = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20_000, "maxfev": 20_000}


def test_simulated_paths_cost_what_is_expected() -> None:
    """Prices by (1), fills by (2): mean and sd of the shortfall over seeded paths."""
    model, paths = TABLE_1, 40_000
    found = optimal(model, X, 1e-6)
    noise = np.random.default_rng(7).standard_normal((paths, model.n))
    price, paid = np.full(paths, 50.0), np.zeros(paths)
    for k, traded in enumerate(found.trades):
        rate = traded / model.tau
        paid += traded * (price - model.epsilon - model.eta * rate)
        price = price + model.sigma * sqrt(model.tau) * noise[:, k]
        price -= model.tau * model.gamma * rate
    cost = X * 50.0 - paid
    error = found.sd / sqrt(paths)
    assert cost.mean() == pytest.approx(found.expected, abs=3 * error)
    assert cost.std() == pytest.approx(found.sd, rel=0.02)


@pytest.mark.parametrize("aversion", [1e-30, 1e-18, 1e-12])
def test_next_to_no_risk_aversion_is_next_to_twap(aversion: float) -> None:
    found = optimal(TABLE_1, X, aversion)
    assert found.holdings == pytest.approx((1e6, 8e5, 6e5, 4e5, 2e5, 0), rel=1e-4)
    assert found.expected == pytest.approx(662_500, rel=1e-4)


@pytest.mark.parametrize("kappa_tau", [200.0, 800.0, 1e6, 1e300, inf])
def test_a_huge_pace_takes_everything_at_once(kappa_tau: float) -> None:
    """sinh(kappa T) overflows from 710 on; nothing here may."""
    assert remaining_fractions(kappa_tau, 5) == pytest.approx((1, 0, 0, 0, 0, 0), abs=1e-80)
    assert traded_fractions(kappa_tau, 5) == pytest.approx((1, 0, 0, 0, 0), abs=1e-80)
    assert at_pace(TABLE_1, X, kappa_tau * 5).expected == pytest.approx(
        expected_cost(TABLE_1, [X, 0, 0, 0, 0])
    )


def test_infinite_risk_aversion_is_allowed() -> None:
    assert optimal(TABLE_1, X, inf).holdings == (X, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("eta", [1.25e-7, 1e-7])
def test_impact_that_rewards_speed_is_refused(eta: float) -> None:
    with pytest.raises(ValueError, match="eta - gamma tau / 2"):
        replace(TABLE_1, eta=eta)


def test_what_has_no_optimum_is_refused() -> None:
    for wrong in (-1.0, nan):
        with pytest.raises(ValueError, match="risk aversion"):
            optimal(TABLE_1, X, wrong)
        with pytest.raises(ValueError, match="kappa tau"):
            remaining_fractions(wrong, 5)
        with pytest.raises(ValueError, match="kappa tau"):
            traded_fractions(wrong, 5)
    with pytest.raises(ValueError, match="period"):
        remaining_fractions(1.0, 0)
    with pytest.raises(ValueError, match="period"):
        replace(TABLE_1, n=0)
    with pytest.raises(ValueError, match="sigma"):
        replace(TABLE_1, sigma=-1.0)
    with pytest.raises(ValueError, match="volatility"):
        replace(TABLE_1, sigma=0.0).risk_aversion(1.0)


def test_the_trajectory_is_no_cosh() -> None:
    """cosh(kappa(T - t))/cosh(kappa T), seen in public code, leaves 95,891 shares unsold."""
    k = 0.6070761632
    assert X * 1 / cosh(5 * k) == pytest.approx(95_891, abs=1)
    assert optimal(TABLE_1, X, 1e-6).holdings[-1] == 0


def test_continuous_kappa_is_not_used_on_a_coarse_grid() -> None:
    """sqrt(lambda sigma^2/eta) is off by 1.0 % here."""
    rough = sqrt(1e-6 * 0.95**2 / 2.5e-6)
    assert rough / optimal(TABLE_1, X, 1e-6).kappa == pytest.approx(0.99, abs=0.001)


def test_theta_is_a_time_of_e_folding() -> None:
    fine = Model(sigma=0.95, eta=2.5e-6, gamma=0, epsilon=0, tau=0.01, n=5_000)
    found = optimal(fine, X, 1e-6)
    at = round(found.theta / fine.tau)
    assert found.holdings[at] / X == pytest.approx(exp(-1), rel=0.01)


def test_the_frontier_as_data() -> None:
    points = frontier(TABLE_1, X, (0.0, 3.0353808, 20.0))
    assert points[0].risk_aversion == 0
    assert points[0].expected == pytest.approx(662_500)
    assert points[0].first_trade == pytest.approx(0.2)
    assert points[1].risk_aversion == pytest.approx(1e-6, rel=1e-6)
    assert points[1].expected == pytest.approx(911_226.99, rel=1e-6)
    assert points[1].first_trade == pytest.approx(1 - 0.54195555, rel=1e-6)
    assert points[2].first_trade > 0.98
    assert frontier(TABLE_1, X, (1e9,))[0].risk_aversion == inf


@pytest.mark.parametrize(
    ("urgency", "impact", "sd"),
    [
        (Urgency.LOW, 1.02, 0.94),
        (Urgency.NORMAL, 1.55, 0.70),
        (Urgency.HIGH, 3.00, 0.50),
        (Urgency.IMMEDIATE, 6.00, 0.35),
    ],
)
def test_what_an_urgency_costs_and_saves(urgency: Urgency, impact: float, sd: float) -> None:
    """The table in urgency_pace's docstring, on a fine grid."""
    model = Model(sigma=0.95, eta=2.5e-6, gamma=0, epsilon=0, tau=5e-4, n=10_000)
    paced, even = at_pace(model, X, urgency_pace(urgency)), at_pace(model, X, 0)
    assert paced.expected / even.expected == pytest.approx(impact, abs=0.006)
    assert paced.sd / even.sd == pytest.approx(sd, abs=0.006)
