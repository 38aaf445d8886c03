"""Made price paths with a known truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import MINUTE
from app.domain.regime.components import Bars
from app.domain.regime.record import Label

PER_DAY = 390


@dataclass(frozen=True)
class Walk:
    bars: Bars
    truth: tuple[Label, ...]


def bars_of(prices: NDArray[np.float64]) -> Bars:
    at = np.arange(1, len(prices) + 1, dtype=np.int64) * MINUTE
    joined = np.ones(len(prices), dtype=np.int64)
    joined[:1] = 0
    return Bars(at, prices.astype(np.float64), joined, PER_DAY)


FASTER = {Label.VOLATILE: 3.0, Label.CRISIS: 4.0}
PHI = {Label.TRENDING: 0.5, Label.MEAN_REVERTING: -0.4}


def walk(parts: list[tuple[Label, int]], seed: int) -> Walk:
    """Trending and mean reverting: autoregressive returns of 1 % a day. Volatile: three times as
    much. Crisis: four times, and 8 % down within forty bars at its begin."""
    random = np.random.default_rng(seed)
    calm = 0.01 / np.sqrt(PER_DAY)
    returns: list[float] = []
    truth: list[Label] = []
    last = 0.0
    for label, length in parts:
        for k in range(length):
            phi = PHI.get(label, 0.0)
            shock = random.normal(0, calm * np.sqrt(1 - phi**2))
            shock *= FASTER.get(label, 1.0)
            last = phi * last + shock - (0.002 if label is Label.CRISIS and k < 40 else 0)
            returns.append(last)
            truth.append(label)
    return Walk(bars_of(100 * np.exp(np.cumsum(returns))), tuple(truth))
