"""Realised volatility: known paths, prints off the market, days without any."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import SECOND
from app.domain.volatility import daily_volatility, price_path, realised_variance

EDGES = [100, 200, 300, 400]


def path(*trades: tuple[int, int]) -> list[float]:
    at = np.array([t for t, _ in trades], dtype=np.int64)
    return price_path(at, np.array([p for _, p in trades], dtype=np.int64), EDGES)


def test_the_price_at_each_edge_is_what_traded_last() -> None:
    assert path((100, 10), (199, 11), (250, 12)) == [10.5, 10.5, 12.0, 12.0]
    assert path((200, 12), (399, 14)) == [12.0, 12.0, 14.0]
    many = [(100 + k, 50) for k in range(20)] + [(200 + k, 60) for k in range(20)]
    assert path(*many) == [50, 50, 60, 60]


def test_trades_far_apart_stand_for_themselves() -> None:
    """As the closes of minutes do: a median of them would lie in the past."""
    minutes = np.array([0, 60, 120, 180], dtype=np.int64) * SECOND
    prices = np.array([10, 11, 12, 13], dtype=np.int64)
    assert price_path(minutes, prices, [0, 300 * SECOND]) == [10, 13]


def test_trades_outside_of_the_stretch_do_not_count() -> None:
    assert path((99, 1), (400, 2)) == []
    assert path((99, 1), (150, 7), (400, 2)) == [7, 7, 7, 7]


def test_one_print_off_the_market_is_no_move() -> None:
    calm = [(100 + k, 1000) for k in range(0, 300, 10)]
    strayed = [(at, 5000 if at == 190 else price) for at, price in calm]
    assert path(*strayed) == path(*calm)
    assert realised_variance(path(*strayed)) == 0


def test_variance_is_the_sum_of_squared_returns() -> None:
    assert realised_variance([100, 101, 100]) == pytest.approx(2 * log(1.01) ** 2)
    assert realised_variance([100]) is None
    assert realised_variance([]) is None
    assert realised_variance([100, 0, 100]) is None


def test_days_are_averaged_as_variances() -> None:
    assert daily_volatility([1e-4, 3e-4, None]) == pytest.approx(sqrt(2e-4))
    assert daily_volatility([]) is None
    assert daily_volatility([None, 0.0]) is None


def test_a_random_walk_of_known_volatility_is_measured() -> None:
    random = np.random.default_rng(3)
    days = [
        np.exp(np.cumsum(random.normal(0, 0.02 / sqrt(26), 27)) + log(100)).tolist()
        for _ in range(400)
    ]
    assert daily_volatility(map(realised_variance, days)) == pytest.approx(0.02, rel=0.05)


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=30), st.floats(1e-3, 1e3))
def test_it_does_not_depend_on_the_price_scale(prices: list[float], c: float) -> None:
    scaled = realised_variance([c * price for price in prices])
    assert scaled == pytest.approx(realised_variance(prices), rel=1e-6, abs=1e-12)
    assert realised_variance(prices[::-1]) == pytest.approx(realised_variance(prices), rel=1e-9)
