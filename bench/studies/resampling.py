"""Means with intervals, from orders that share their days: whole clusters are drawn again."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 10_000
SEED = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and what 95 % of the means over resampled clusters lie between (percentiles).

    One cluster says nothing of others: without a second, `low` and `high` are None.
    """

    mean: float
    low: float | None
    high: float | None
    clusters: int

    @property
    def below(self) -> bool:
        """Whether all of the interval is below zero."""
        return self.high is not None and self.high < 0

    @property
    def above(self) -> bool:
        """Whether all of the interval is above zero."""
        return self.low is not None and self.low > 0

    def told(self, decimals: int = 2) -> str:
        mean = f"{self.mean:+.{decimals}f}"
        if self.low is None or self.high is None:
            return f"{mean} [one cluster]"
        return f"{mean} [{self.low:+.{decimals}f}, {self.high:+.{decimals}f}]"


def interval(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    weights: Sequence[float] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Interval:
    """The (weighted) mean of `values` with its bootstrap over clusters, drawn with replacement.

    Raises ValueError where there is nothing to draw from.
    """
    if not values:
        raise ValueError("no values, no mean")
    weighed = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    names = sorted(set(clusters), key=str)
    place = {name: number for number, name in enumerate(names)}
    index = np.array([place[cluster] for cluster in clusters])
    sums = np.bincount(index, np.asarray(values, dtype=float) * weighed)
    counts = np.bincount(index, weighed)
    mean = float(sums.sum() / counts.sum())
    if len(names) < 2:
        return Interval(mean, None, None, len(names))
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    with np.errstate(invalid="ignore"):
        means = (drawn @ sums) / (drawn @ counts)
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return Interval(mean, float(low), float(high), len(names))
