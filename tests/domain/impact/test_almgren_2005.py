"""Almgren et al. 2005 against their printed example, with the invariants of a cost model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.impact.almgren_2005 import (
    ASSUMED_SHARES,
    TYPICAL_TURNOVER_DAYS,
    impact,
    permanent,
    temporary,
)

BP = 1e4
V, THETA, SIGMA = 6_561_000.0, 1_728_000_000.0, 0.0157
"""IBM; the order is a tenth of V."""

TABLE = [(0.1, 0.1420, 22.29, 22, 32.22, 32), (0.2, 0.0937, 14.71, 15, 24.64, 25)]
TABLE += [(0.5, 0.0541, 8.49, 8, 18.42, 18)]


@pytest.mark.parametrize(("days", "k_sigma", "k", "k_printed", "j", "j_printed"), TABLE)
def test_the_printed_example(
    days: float, k_sigma: float, k: float, k_printed: float, j: float, j_printed: float
) -> None:
    found = impact(
        quantity=V / 10, daily_volume=V, sigma=SIGMA, days=days, shares_outstanding=THETA
    )
    assert found.permanent / SIGMA == pytest.approx(0.1265, abs=5e-5)
    assert found.permanent * BP == pytest.approx(19.86, abs=5e-3)
    assert found.permanent * BP == pytest.approx(20, abs=0.5)
    assert found.temporary / SIGMA == pytest.approx(k_sigma, abs=5e-5)
    assert found.temporary * BP == pytest.approx(k, abs=5e-3)
    assert found.temporary * BP == pytest.approx(k_printed, abs=0.5)
    assert found.realised * BP == pytest.approx(j, abs=5e-3)
    assert found.realised * BP == pytest.approx(j_printed, abs=0.5)
    assert found.assumption is None


def test_the_turnover_of_the_examples() -> None:
    turnover_days = THETA / V
    assert turnover_days == pytest.approx(263, abs=0.5)
    middle = (263 * 87) ** 0.5
    assert middle == pytest.approx(TYPICAL_TURNOVER_DAYS, abs=0.5)
    for turnover in (263, 87):
        ratio = permanent(0.1, 0.02) / permanent(0.1, 0.02, turnover)
        assert ratio == pytest.approx(1, abs=0.155)


def test_unknown_shares_are_an_assumption_that_is_told() -> None:
    found = impact(quantity=1_000, daily_volume=1e6, sigma=0.02, days=0.1)
    same = impact(quantity=1_000, daily_volume=1e6, sigma=0.02, days=0.1, shares_outstanding=151e6)
    assert found.assumption == ASSUMED_SHARES
    assert found.permanent == same.permanent


def test_eta_is_not_left_out() -> None:
    """A table in the wild has K/sigma = r^0.6: seven times too much."""
    assert temporary(1.0, 0.02) / 0.02 == pytest.approx(0.142)


def test_annual_volatility_would_be_sixteen_times_too_much() -> None:
    assert temporary(0.1, SIGMA * 252**0.5) / temporary(0.1, SIGMA) == pytest.approx(
        15.87, abs=0.01
    )


@pytest.mark.parametrize(
    "wrong",
    [{"quantity": -1.0}, {"daily_volume": 0.0}, {"sigma": -0.1}, {"days": 0.0}],
)
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    given_ = {"quantity": 1_000.0, "daily_volume": 1e6, "sigma": 0.02, "days": 0.1} | wrong
    with pytest.raises(ValueError, match="above zero"):
        impact(**given_)
    with pytest.raises(ValueError, match="shares outstanding"):
        impact(quantity=1, daily_volume=1, sigma=0.1, days=1, shares_outstanding=0)


sizes = st.floats(1, 1e7)
volumes = st.floats(1e3, 1e9)
sigmas = st.floats(1e-4, 0.2)
spans = st.floats(1e-3, 1)
factors = st.floats(1.01, 100)


@given(sizes, volumes, sigmas, spans, factors)
def test_monotone_in_size_volatility_and_haste(
    q: float, v: float, s: float, t: float, c: float
) -> None:
    one = impact(quantity=q, daily_volume=v, sigma=s, days=t)
    assert impact(quantity=q * c, daily_volume=v, sigma=s, days=t).realised > one.realised
    assert impact(quantity=q, daily_volume=v, sigma=s * c, days=t).realised > one.realised
    slower = impact(quantity=q, daily_volume=v, sigma=s, days=t * c)
    assert slower.realised < one.realised
    assert slower.permanent == one.permanent


@given(sizes, volumes, sigmas, spans, factors)
def test_fractions_are_concave_and_money_convex_in_size(
    q: float, v: float, s: float, t: float, c: float
) -> None:
    def cost(size: float) -> float:
        return impact(quantity=size, daily_volume=v, sigma=s, days=t).realised

    middle = (q + c * q) / 2
    assert cost(middle) >= (cost(q) + cost(c * q)) / 2 * (1 - 1e-12)
    money = (q * cost(q) + c * q * cost(c * q)) / 2
    assert middle * cost(middle) <= money * (1 + 1e-12)


@given(sizes, volumes, sigmas, spans, factors)
def test_a_split_of_the_shares_changes_nothing(
    q: float, v: float, s: float, t: float, c: float
) -> None:
    one = impact(quantity=q, daily_volume=v, sigma=s, days=t, shares_outstanding=v * 200)
    split = impact(
        quantity=q * c, daily_volume=v * c, sigma=s, days=t, shares_outstanding=v * c * 200
    )
    assert split.realised == pytest.approx(one.realised, rel=1e-12)


@given(sizes, volumes, sigmas, spans, factors)
def test_linear_in_volatility(q: float, v: float, s: float, t: float, c: float) -> None:
    one = impact(quantity=q, daily_volume=v, sigma=s, days=t)
    more = impact(quantity=q, daily_volume=v, sigma=s * c, days=t)
    assert more.realised == pytest.approx(c * one.realised, rel=1e-12)


@given(volumes, sigmas, spans)
def test_nothing_costs_nothing(v: float, s: float, t: float) -> None:
    assert impact(quantity=0, daily_volume=v, sigma=s, days=t).realised == 0
