"""The variance ratio: theory for autoregressive returns, a random walk, and what it is blind to."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.regime.variance_ratio import Floats, variance_ratio


def autoregressive(phi: float, n: int, seed: int) -> Floats:
    shocks = np.random.default_rng(seed).normal(0, 0.01, n)
    returns = np.zeros(n)
    for k in range(1, n):
        returns[k] = phi * returns[k - 1] + shocks[k]
    return returns


@pytest.mark.parametrize(("phi", "q", "theory"), [(0.2, 2, 1.2), (0.2, 4, 1.344), (-0.2, 2, 0.8)])
def test_autoregressive_returns(phi: float, q: int, theory: float) -> None:
    """1 + 2 Σ (1 − k/q) φ^k (quant.md §5)."""
    found = [variance_ratio(autoregressive(phi, 20_000, seed), q) for seed in range(5)]
    ratios = [of.ratio for of in found if of is not None]
    assert np.mean(ratios) == pytest.approx(theory, abs=0.015)
    assert all(abs(of.z) > 15 for of in found if of is not None)


def test_a_random_walk_is_seldom_taken_for_anything_else() -> None:
    """Also one whose volatility changes: that is what the robust deviation is for."""
    random = np.random.default_rng(5)
    scale = np.where(np.arange(240) % 80 < 20, 3.0, 1.0)
    z = []
    for _ in range(2000):
        found = variance_ratio(random.normal(0, 0.001, 240) * scale, 5)
        assert found is not None
        z.append(found.z)
    assert abs(np.mean(z)) < 0.1
    assert np.std(z) == pytest.approx(1, abs=0.12)
    assert np.mean(np.abs(z) > 1.96) < 0.08


def test_without_bias_and_with_the_spread_of_the_theory() -> None:
    """Standard deviation √(2(2q − 1)(q − 1) / 3qn) for a walk of even volatility."""
    random = np.random.default_rng(6)
    found = [variance_ratio(random.normal(0, 1, 1000), 4) for _ in range(2000)]
    ratios = [of.ratio for of in found if of is not None]
    assert np.mean(ratios) == pytest.approx(1, abs=0.006)
    assert np.std(ratios) == pytest.approx(sqrt(2 * 7 * 3 / (3 * 4 * 1000)), rel=0.06)


def test_nothing_to_measure() -> None:
    assert variance_ratio(np.zeros(100), 4) is None
    assert variance_ratio(np.full(100, 0.1), 4) is None
    assert variance_ratio(np.ones(7), 4) is None


@given(st.lists(st.floats(-0.1, 0.1), min_size=20, max_size=60), st.floats(1e-3, 1e3))
def test_neither_scale_nor_direction_matters(returns: list[float], c: float) -> None:
    if np.std(returns) < 1e-6:
        return
    values = np.array(returns)
    one = variance_ratio(values, 3)
    assert one is not None
    for other in (variance_ratio(c * values, 3), variance_ratio(-values, 3)):
        assert other is not None
        assert other.ratio == pytest.approx(one.ratio, rel=1e-6, abs=1e-9)
        assert other.z == pytest.approx(one.z, rel=1e-6, abs=1e-6)
