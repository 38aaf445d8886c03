"""Paired comparison of algorithms: the same parents, the difference of what they cost.

d = cost of an algorithm − cost of the first one, basis points; below zero: it is cheaper. The
parents of one day share their market, so days are drawn again, not parents (cluster bootstrap,
Cameron, Gelbach and Miller 2008): each resample takes as many days as there are, with
replacement, and all parents of a day with it. Intervals are percentiles of 2,000 resamples. With
fewer than about ten days they are too narrow, and a result says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.chance import digest

RESAMPLES = 2_000
LEVEL = 0.95
FEW_DAYS = 10
_CARE = f"fewer than {FEW_DAYS} days: the intervals are too narrow"
_AT_ONCE = 4_000_000

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """`n` pairs over `days` days; `wins` and `ties` are shares of the pairs. Without an interval
    `reason` says why, and where it is to be taken with care, what for."""

    n: int
    days: int
    mean: float | None = None
    mean_interval: Interval | None = None
    median: float | None = None
    median_interval: Interval | None = None
    wins: float | None = None
    ties: float | None = None
    reason: str | None = None


def paired(differences: Sequence[float], days: Sequence[str], seed: str) -> Paired:
    """The differences of pairs, each with the day that it belongs to."""
    if not differences:
        return Paired(0, 0, reason="no parent has this figure for both")
    values = np.asarray(differences, dtype=np.float64)
    names, cluster = np.unique(np.asarray(days), return_inverse=True)
    mean, median = float(values.mean()), float(np.median(values))
    wins, ties = float((values < 0).mean()), float((values == 0).mean())
    if len(names) < 2:
        why = "all parents are of one day: nothing says how days differ"
        return Paired(len(values), 1, mean, None, median, None, wins, ties, why)
    times = _resampled(len(names), seed)
    return Paired(
        n=len(values),
        days=len(names),
        mean=mean,
        mean_interval=_interval(_means(values, cluster, times)),
        median=median,
        median_interval=_interval(_medians(values, cluster, times)),
        wins=wins,
        ties=ties,
        reason=_CARE if len(names) < FEW_DAYS else None,
    )


def _resampled(days: int, seed: str) -> Counts:
    """How often each resample has each day."""
    chance = np.random.Generator(np.random.PCG64(int(digest(seed, "bootstrap"), 16)))
    drawn = chance.integers(0, days, size=(RESAMPLES, days))
    times = np.zeros((RESAMPLES, days), dtype=np.int64)
    np.add.at(times, (np.arange(RESAMPLES)[:, None], drawn), 1)
    return times


def _means(values: Floats, cluster: Counts, times: Counts) -> Floats:
    sums = np.bincount(cluster, weights=values)
    counts = np.bincount(cluster)
    means: Floats = (times @ sums) / (times @ counts)
    return means


def _medians(values: Floats, cluster: Counts, times: Counts) -> Floats:
    """Medians of repeated values, without repeating them: sorted once, weighed by their day."""
    order = np.argsort(values, kind="stable")
    ranked, day = values[order], cluster[order]
    found = np.empty(len(times))
    step = max(_AT_ONCE // len(values), 1)
    for first in range(0, len(times), step):
        sums = times[first : first + step][:, day].cumsum(axis=1)
        total = sums[:, -1:]
        # The middle value, or the mean of the middle two.
        low = (sums <= (total - 1) // 2).sum(axis=1)
        high = (sums <= total // 2).sum(axis=1)
        found[first : first + step] = (ranked[low] + ranked[high]) / 2
    return found


def _interval(resamples: Floats) -> Interval:
    beside = (1 - LEVEL) / 2
    low, high = np.quantile(resamples, [beside, 1 - beside])
    return Interval(float(low), float(high))
