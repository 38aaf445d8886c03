"""What a regime's label is made of, from the prices of bars that are over."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from app.domain.instant import MINUTE, Micros
from app.domain.regime.record import Components
from app.domain.regime.variance_ratio import Floats, variance_ratio
from app.domain.tape_search import Integers


@dataclass(frozen=True, slots=True)
class Windows:
    """How far back each component looks, in bars."""

    bar: Micros = MINUTE
    q: int = 5
    ratio: int = 240
    volatility: int = 30
    history: int = 1950
    """Volatilities that one is ranked among, and prices that the drawdown is measured from: five
    sessions of New York."""
    least: int = 120
    """Without so many bars there is no label."""


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Prices at the end of bars that are over. A `joined` bar follows the one before it directly;
    what happened between others (a night, a gap) is no return."""

    at: Integers
    price: Floats
    joined: Integers
    per_day: int
    """How many bars a day's trading has."""

    def __len__(self) -> int:
        return len(self.at)


def components(bars: Bars, first: int, windows: Windows) -> list[Components | None]:
    """Of each bar from row `first` on, from that bar and those before it; None where there are too
    few, or nothing moved."""
    returns, count = _returns(bars)
    begin = max(first - windows.history - windows.volatility, 0)
    volatility = _rolling(returns, count, begin, windows.volatility)
    found: list[Components | None] = []
    for row in range(first, len(bars)):
        known = returns[: count[row]]
        ranked = volatility[max(row - windows.history + 1, begin) - begin : row + 1 - begin]
        ranked = ranked[~np.isnan(ranked)]
        ratio = variance_ratio(known[-windows.ratio :], windows.q)
        if len(known) < windows.least or ratio is None or not len(ranked):
            found.append(None)
            continue
        highest = float(bars.price[max(row - windows.history + 1, 0) : row + 1].max())
        now = float(ranked[-1])
        found.append(
            Components(
                at=int(bars.at[row]),
                variance_ratio=ratio.ratio,
                z=ratio.z,
                volatility=now * sqrt(bars.per_day),
                typical=float(np.median(ranked)) * sqrt(bars.per_day),
                percentile=float((ranked <= now * (1 + 1e-12)).mean()),
                drawdown=max(1 - float(bars.price[row]) / highest, 0.0),
                bars=min(len(known), windows.history),
            )
        )
    return found


def _returns(bars: Bars) -> tuple[Floats, Integers]:
    """All log returns there are, and how many of them are known at each bar."""
    joined = bars.joined.astype(bool)
    joined[:1] = False
    steps = np.zeros(len(bars))
    steps[1:] = np.diff(np.log(bars.price))
    return steps[joined], joined.cumsum()


def _rolling(returns: Floats, count: Integers, begin: int, window: int) -> Floats:
    """The root of the mean squared return over the last `window`, at each bar from row `begin` on;
    nan where there are not as many. Summed window by window: a running sum would carry what
    rounding left of prices long past."""
    if len(returns) < window:
        return np.full(len(count) - begin, np.nan)
    views = np.lib.stride_tricks.sliding_window_view(returns**2, window)
    ends = count[begin:] - window
    found = np.sqrt(views[np.maximum(ends, 0)].mean(axis=1))
    return np.where(ends >= 0, found, np.nan)
