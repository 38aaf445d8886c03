"""The variance ratio of Lo and MacKinlay (1988): do returns of several bars add up to more?"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VarianceRatio:
    """Above 1 moves go on, below 1 they come back. `z` is its distance from 1 in standard
    deviations of a random walk whose volatility may change (their z*)."""

    ratio: float
    z: float


def variance_ratio(returns: Floats, q: int) -> VarianceRatio | None:
    """Of overlapping sums of `q` returns, without bias; None where nothing moves or there are
    fewer than 2 q of them."""
    n = len(returns)
    if n < 2 * q:
        return None
    mean = float(returns.mean())
    deviations = returns - mean
    squares = deviations**2
    total = float(squares.sum())
    # What is left of a constant series by rounding is no movement.
    if total <= n * (1e-12 * max(abs(mean), 1e-12)) ** 2:
        return None
    path = np.concatenate((np.zeros(1), returns.cumsum()))
    sums = path[q:] - path[:-q] - q * mean
    weight = q * (n - q + 1) * (1 - q / n)
    ratio = float(sums @ sums) / weight / (total / (n - 1))
    theta = sum(
        (2 * (q - k) / q) ** 2 * float(squares[k:] @ squares[:-k]) / total**2 for k in range(1, q)
    )
    return VarianceRatio(ratio, (ratio - 1) / sqrt(theta) if theta > 0 else 0.0)
