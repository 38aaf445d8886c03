"""Means with intervals over clusters."""

import numpy as np
import pytest

from bench.studies.resampling import interval


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        # 30 days of 4 orders that share their day.
        values = np.repeat(random.normal(1.0, 2.0, 30), 4) + random.normal(0, 0.5, 120)
        found = interval(list(values), list(np.repeat(np.arange(30), 4)), draws=1_000)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 1.0 <= found.high
    assert 0.88 <= covered / 200 <= 0.98


def test_orders_of_one_day_are_not_more_evidence_than_the_day() -> None:
    values, days = [1.0, 2.0, 3.0, 4.0], ["a", "b", "c", "d"]
    assert interval(values * 9, days * 9) == interval(values, days)


def test_weights_means_and_single_clusters() -> None:
    found = interval([1.0, 3.0], ["a", "a"], weights=[3.0, 1.0])
    assert (found.mean, found.low, found.high, found.clusters) == (1.5, None, None, 1)
    assert not found.below
    assert not found.above
    assert interval([-1.0, -2.0, -1.5], list("abc")).below
    assert interval([1.0, 2.0, 1.5], list("abc")).above
    with pytest.raises(ValueError, match="no values"):
        interval([], [])
