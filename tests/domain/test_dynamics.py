"""What past days teach of how days depart from their curve."""

import numpy as np
import pytest

from app.domain.dynamics import (
    CLOSING,
    FLOOR,
    LEVEL_VARIANCE,
    SURPRISE_VARIANCE,
    Dynamics,
    learned,
    surprise,
)
from app.domain.instant import MINUTE
from app.domain.volume import VolumeCurve, curve_from_history

BIN = 5 * MINUTE
BINS = 78


def made(days: int, level: float, local: float, noise: float, closing: float = 1.0) -> Dynamics:
    """Learned from days made with these standard deviations."""
    random = np.random.default_rng(7)
    kept = 0.5 ** (BIN / (15 * MINUTE))
    rows = []
    for _ in range(days):
        path = [random.normal(0, local)]
        for _ in range(BINS - 1):
            path.append(kept * path[-1] + random.normal(0, local * np.sqrt(1 - kept**2)))
        load = np.ones(BINS)
        load[-3:] = closing
        logs = load * random.normal(0, level) + path + random.normal(0, noise, BINS)
        rows.append([float(v) for v in 1e5 * np.exp(logs)])
    curve = curve_from_history(rows, bin_length=BIN, periodic=False)
    assert curve is not None
    assert curve.dynamics is not None
    return curve.dynamics


def test_with_many_days_it_is_what_the_days_were_made_of() -> None:
    found = made(1000, level=0.5, local=0.3, noise=0.4, closing=0.2)
    assert found.level_variance == pytest.approx(0.25, rel=0.1)
    assert found.surprise_variance == pytest.approx(0.09, rel=0.15)
    assert found.noise_variance == pytest.approx(0.16, rel=0.15)
    assert found.closing == pytest.approx(0.2, abs=0.1)
    assert found.persistence == pytest.approx(0.5 ** (1 / 3))
    assert found.level == pytest.approx(1e5 * BINS, rel=0.2)


def test_one_day_moves_no_prior() -> None:
    found = made(1, level=0.5, local=2.0, noise=2.0)
    assert found.level_variance == LEVEL_VARIANCE
    assert found.surprise_variance == SURPRISE_VARIANCE
    assert found.noise_variance == pytest.approx(0.24)
    assert found.closing == CLOSING


def test_days_without_surprise_keep_a_part_of_the_priors() -> None:
    found = made(20, level=0.0, local=0.0, noise=0.01)
    assert found.surprise_variance == pytest.approx(SURPRISE_VARIANCE * 2 / 22, rel=0.01)
    assert found.level_variance == pytest.approx(LEVEL_VARIANCE * 20 / 39, rel=0.01)


def test_the_level_is_the_one_at_which_nothing_surprises() -> None:
    rows = [[10.0, 20.0, 30.0, 40.0], [20.0, 40.0, 60.0, 80.0]]
    found = learned(rows, [0.1, 0.2, 0.3, 0.4], 15 * MINUTE)
    # The geometric mean of the days.
    assert found.level == pytest.approx((100 * 200) ** 0.5)


def test_empty_bins_are_no_abyss() -> None:
    assert surprise(0, 1e9) == surprise(1e-9, 1e9) == FLOOR
    found = learned([[0.0, 1.0, 0.0, 9.0], [5.0, 0.0, 0.0, 5.0]], [0.3, 0.1, 0.0, 0.6], BIN)
    assert found.level is not None
    assert 0.1 < found.level < 20
    assert 0 <= found.closing <= 1
    assert found.surprise_variance > 0
    assert found.noise_variance > 0


@pytest.mark.parametrize("row", [[5.0], [5.0, 1.0]])
def test_a_day_of_hardly_a_bin_is_one_too(row: list[float]) -> None:
    found = curve_from_history([row, row], bin_length=BIN, periodic=False)
    assert isinstance(found, VolumeCurve)
    assert found.dynamics is not None
    assert found.dynamics.surprise_variance == SURPRISE_VARIANCE
