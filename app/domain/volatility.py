"""How much a price moves in a day's trading, measured from its past days.

Realised within the session: the squared log returns over quarters of an hour, summed over a day,
averaged over days, and the square root of that. What happens overnight is left out: an execution
lives inside of a session (Almgren and Chriss count trading time too).
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log, sqrt

import numpy as np

from app.domain.instant import MINUTE, SECOND, Instant, Micros
from app.domain.tape_search import Integers

STEP: Micros = 15 * MINUTE
"""The length of a return: shorter ones measure how the price bounces between bid and ask."""

NEAREST = 3
NEAR: Micros = 5 * SECOND
"""A bin's price is the median of its last so many trades, no further apart than this: one print
off the market is not a move there and back. The closes of minutes stand each for themselves: their
median would lie in the past, and hide a part of what the price moves."""


def price_path(at: Integers, price: Integers, edges: Sequence[Instant]) -> list[float]:
    """Where the price began and where it stood at the end of each bin, from trades in order. Bins
    without a trade keep the price; those before the first trade are left out."""
    found: list[float] = []
    rows = [int(row) for row in at.searchsorted(list(edges))]
    for first, last in pairwise(rows):
        if first < last:
            if not found:
                near = int(at.searchsorted(at[first] + NEAR, side="right"))
                found.append(float(np.median(price[first : min(first + NEAREST, near, last)])))
            near = int(at.searchsorted(at[last - 1] - NEAR))
            found.append(float(np.median(price[max(last - NEAREST, near, first) : last])))
        elif found:
            found.append(found[-1])
    return found


def realised_variance(prices: Sequence[float]) -> float | None:
    """The sum of squared log returns along prices; None without two of them above zero."""
    if len(prices) < 2 or min(prices) <= 0:
        return None
    return sum(log(b / a) ** 2 for a, b in pairwise(prices))


def daily_volatility(variances: Iterable[float | None]) -> float | None:
    """A day's volatility as a fraction of the price, from the variances of past days; None
    without a day that moved."""
    known = [variance for variance in variances if variance is not None]
    mean = sum(known) / len(known) if known else 0.0
    return sqrt(mean) if mean > 0 else None
