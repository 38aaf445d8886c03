"""The square-root law against its published magnitudes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.impact.square_root import mean, peak


@pytest.mark.parametrize(
    ("share", "bps"), [(0.0001, 2.0), (0.001, 6.3), (0.01, 20.0), (0.05, 44.7), (0.1, 63.2)]
)
def test_two_per_cent_volatility(share: float, bps: float) -> None:
    found = peak(quantity=share * 1e6, daily_volume=1e6, sigma=0.02)
    assert found * 1e4 == pytest.approx(bps, abs=0.05)


def test_one_per_cent_of_volume_moves_a_tenth_of_sigma() -> None:
    """Toth et al. 2011, for Y = 1; Donier and Bonart 2015 found 0.90 on Bitcoin."""
    assert peak(quantity=1, daily_volume=100, sigma=0.3) == pytest.approx(0.03)
    assert peak(quantity=1, daily_volume=100, sigma=0.3, y=0.9) == pytest.approx(0.027)


def test_fills_pay_two_thirds_of_the_peak() -> None:
    """The mean of sqrt(u) over [0, 1]."""
    n = 100_000
    path = sum(peak(quantity=(k + 0.5) / n, daily_volume=1, sigma=1) for k in range(n)) / n
    assert mean(quantity=1, daily_volume=1, sigma=1) == pytest.approx(path, rel=1e-6)


def test_children_priced_apart_do_not_make_the_order() -> None:
    """N children of Q/N priced each for itself: too little by sqrt(N); added up, too much."""
    n, whole = 16, peak(quantity=1e4, daily_volume=1e6, sigma=0.02)
    child = peak(quantity=1e4 / n, daily_volume=1e6, sigma=0.02)
    assert whole / child == pytest.approx(n**0.5)
    assert n * child / whole == pytest.approx(n**0.5)


def test_what_cannot_be_is_refused() -> None:
    for wrong in ({"quantity": -1.0}, {"daily_volume": 0.0}, {"sigma": -1.0}):
        with pytest.raises(ValueError, match="above zero"):
            peak(**({"quantity": 1.0, "daily_volume": 1.0, "sigma": 1.0} | wrong))


@given(st.floats(1, 1e7), st.floats(1e3, 1e9), st.floats(1e-4, 0.2), st.floats(1.01, 100))
def test_monotone_concave_and_free_of_units(q: float, v: float, s: float, c: float) -> None:
    one = peak(quantity=q, daily_volume=v, sigma=s)
    assert peak(quantity=c * q, daily_volume=v, sigma=s) == pytest.approx(c**0.5 * one, rel=1e-9)
    assert peak(quantity=c * q, daily_volume=c * v, sigma=s) == pytest.approx(one, rel=1e-9)
    assert peak(quantity=q, daily_volume=v, sigma=c * s) == pytest.approx(c * one, rel=1e-9)
