"""The bootstrap of paired differences, against scipy, a closed form, and cases counted by hand."""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from app.research.backtest import compare
from app.research.backtest.compare import paired


def of_days(values: list[float]) -> list[str]:
    return [f"day {i}" for i in range(len(values))]


def test_one_parent_a_day_is_the_plain_bootstrap() -> None:
    rng = np.random.default_rng(5)
    values = rng.gamma(2.0, 3.0, 120).tolist()
    found = paired(values, of_days(values), "s")
    for statistic, interval in ((np.mean, found.mean_interval), (np.median, found.median_interval)):
        theirs = stats.bootstrap(
            (values,), statistic, n_resamples=9_999, method="percentile", rng=1
        ).confidence_interval
        assert interval is not None
        width = theirs.high - theirs.low
        assert interval.low == pytest.approx(theirs.low, abs=0.15 * width)
        assert interval.high == pytest.approx(theirs.high, abs=0.15 * width)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.median == pytest.approx(np.median(values))


def test_of_equal_days_the_interval_is_that_of_the_days_means() -> None:
    """Clusters of one size: the mean of days' means, whose bootstrap is close to normal."""
    rng = np.random.default_rng(6)
    level = rng.normal(1.0, 2.0, 60)
    values = (level[:, None] + rng.normal(0, 0.5, (60, 25))).ravel().tolist()
    days = [f"{i // 25:03d}" for i in range(len(values))]
    found = paired(values, days, "s")
    assert found.mean_interval is not None
    means = np.asarray(values).reshape(60, 25).mean(axis=1)
    error = means.std() / sqrt(60)
    half = (found.mean_interval.high - found.mean_interval.low) / 2
    assert half == pytest.approx(1.96 * error, rel=0.08)
    # As if parents were independent it would be five times too narrow.
    alone = np.std(values) / sqrt(len(values))
    assert half > 3 * 1.96 * alone


def test_the_medians_are_those_of_the_repeated_values() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(size=31)
    cluster = rng.integers(0, 5, 31)
    times = compare._resampled(5, "s")[:200]
    found = compare._medians(values, cluster, times)
    slow = [np.median(np.repeat(values, row[cluster])) for row in times if row[cluster].sum()]
    assert len(slow) == 200
    assert found == pytest.approx(slow)


def test_the_seed_says_all() -> None:
    values = np.random.default_rng(8).normal(size=40).tolist()
    days = [f"{i % 12}" for i in range(40)]
    assert paired(values, days, "s") == paired(values, days, "s")
    assert paired(values, days, "s") != paired(values, days, "t")


def test_wins_ties_and_what_cannot_be_said() -> None:
    found = paired([-1.0, 0.0, 2.0, -3.0], ["a", "b", "c", "d"], "s")
    assert (found.n, found.days, found.wins, found.ties) == (4, 4, 0.5, 0.25)
    assert (found.mean, found.median) == (-0.5, -0.5)
    assert found.reason == "fewer than 10 days: the intervals are too narrow"
    one_day = paired([-1.0, 2.0], ["a", "a"], "s")
    assert one_day.mean_interval is None
    assert one_day.reason is not None
    assert "of one day" in one_day.reason
    nothing = paired([], [], "s")
    assert (nothing.n, nothing.mean) == (0, None)
    many = paired([1.0] * 10, of_days([1.0] * 10), "s")
    assert many.reason is None
    assert many.mean_interval == compare.Interval(1.0, 1.0)
