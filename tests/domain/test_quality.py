"""The quality score: uniform under the right model, and silent without one."""

from decimal import Decimal

import numpy as np
import pytest

from app.domain.quantity import Side
from app.domain.tca.quality import NO_MODEL, Estimate, compared, estimate_from, grade, quality
from app.domain.tca.shortfall import Asked, Price, shortfall

D = Decimal

PATHS, SLICES = 10_000, 50
SIGMA = 0.02  # A day's volatility, as a fraction.
DAY = 0.25  # The order takes a quarter of a day.
IMPACT_BPS = 8.0


def test_scores_are_uniform_under_the_right_model() -> None:
    """10,000 seeded paths of a constant-rate order, priced by our own shortfall."""
    chance = np.random.default_rng(20_260_105)
    moves = chance.normal(0, SIGMA * np.sqrt(DAY / SLICES), (PATHS, SLICES))
    mids = 100 * (1 + np.cumsum(moves, axis=1))
    # Each slice is filled at its end: discrete timing risk, which tends to sigma sqrt(T / 3).
    left = np.arange(SLICES, 0, -1) / SLICES
    sd = SIGMA * np.sqrt(DAY / SLICES * np.sum(left**2)) * 10_000
    assert sd == pytest.approx(SIGMA * np.sqrt(DAY / 3) * 10_000, rel=0.02)
    estimate = Estimate(D(repr(IMPACT_BPS)), D(repr(float(sd))), {}, "test")
    zs, scores = [], []
    for i, path in enumerate(mids):
        side = (Side.BUY, Side.SELL)[i % 2]
        average = D(repr(float(np.mean(path)))) + side.sign * D(repr(IMPACT_BPS)) / 100
        asked = Asked(side, D(5000), D(5000), 5000 * average, D(9))
        end = Price(D(repr(float(path[-1]))))
        found = shortfall(asked, Price(D(100)), Price(D(100)), end)
        assert found.total.bps is not None
        assert found.fees.bps is not None
        judged = compared(estimate, found.total.bps - found.fees.bps).quality
        assert judged.z is not None
        assert judged.score is not None
        zs.append(judged.z)
        scores.append(judged.score)
    assert 0.95 < np.std(zs, ddof=1) < 1.05
    assert abs(np.mean(zs)) < 3 * np.std(zs, ddof=1) / np.sqrt(PATHS)
    counts, _ = np.histogram(scores, bins=20, range=(0, 100))
    expected = PATHS / 20
    # Chi-squared with 19 degrees of freedom: 43.8 is exceeded once in a thousand.
    assert np.sum((counts - expected) ** 2 / expected) < 43.8
    grades = [grade(score) for score in scores]
    for letter in "ABCDF":
        assert grades.count(letter) == pytest.approx(PATHS / 5, rel=0.08)


def test_dearer_than_said_scores_less() -> None:
    assert quality(D(10), D(10), D(20)).score == pytest.approx(50)
    assert quality(D(30), D(10), D(20)).score == pytest.approx(15.8655, abs=1e-4)
    assert quality(D(-10), D(10), D(20)).score == pytest.approx(84.1345, abs=1e-4)
    assert [grade(s) for s in (100, 80, 79.9, 60, 40, 20, 19.9, 0)] == list("AABBCDFF")


def test_without_a_model_there_is_no_score() -> None:
    found = compared(None, D(5))
    assert (found.quality.score, found.quality.reason, found.realised_bps) == (None, NO_MODEL, 5)
    narrow = quality(D(5), D(5), None)
    assert (narrow.z, narrow.grade) == (None, None)
    assert narrow.reason == "the estimate says nothing of its spread"
    unknown = compared(Estimate(D(5), D(9), {}, "x"), None, "after_close")
    assert (unknown.expected_bps, unknown.quality.reason) == (5, "after_close")


def test_the_estimate_is_read_as_it_was_kept() -> None:
    assert estimate_from(None) is None
    assert estimate_from({}) is None
    kept = {"total_bps": "6.5", "sd_bps": 40.25, "parts": {"spread_bps": "1.5"}, "source": "model"}
    assert estimate_from(kept) == Estimate(D("6.5"), D("40.25"), {"spread_bps": D("1.5")}, "model")
