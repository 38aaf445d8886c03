"""How a market's days depart from their volume curve, learned from the days before.

In logarithms, what a bin trades over what its curve expects of a usual day is

    level of the day + local surprise + noise

The level is one number a day. The local surprise fades: half of it is gone after a quarter of an
hour. The noise is the bin's own. Around the close, where auction volume and those who trade with it
come in, a day's level shows only in part (`closing`).

Each is the mean of what the past days show and of a prior, weighed by the number of days. The
priors and the half-life were chosen on SPY 2011, four US symbols of 2013, eight of 2019, AAPL 2024
and the first 60 sessions of SW 2024 (docs/execution-quality.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

from app.domain.instant import MINUTE, Micros

HALF_LIFE: Micros = 15 * MINUTE
CLOSING_STRETCH: Micros = 15 * MINUTE
PRIOR_DAYS = 20
"""For what a day shows once: its level, and its close."""

PRIOR_DAYS_OF_BINS = 2
"""For what every bin of a day shows: surprise and noise."""

LEVEL_VARIANCE = 0.1
SURPRISE_VARIANCE = 0.12
NOISE_VARIANCE = 0.08
"""Of a bin of a quarter of an hour; of a shorter one more, by the ratio of their lengths."""

CLOSING = 0.5
FLOOR = -4.0
"""A bin that traded nothing counts as having traded this little: 1.8 % of what was expected."""

_LEAST_SHARE = 0.01
"""Neither surprise nor noise is ever estimated to be less than this part of both."""


@dataclass(frozen=True, slots=True)
class Dynamics:
    """`level` is the volume of a usual day in the units in which volume is observed; None where
    those are not the history's units (a feed that sees an unknown part of the market).

    Variances are of natural logarithms; `persistence` is what is left of a local surprise a bin
    later, `closing` the part of a departure that shows in the last quarter of an hour.
    """

    level: float | None
    level_variance: float
    surprise_variance: float
    noise_variance: float
    persistence: float
    closing: float


def learned(
    days: Sequence[Sequence[float]], shares: Sequence[float], bin_length: Micros
) -> Dynamics:
    """What past days, rows of bin volumes of which none is empty, show around their curve.

    `shares` are the curve's; every bin has the same length. Any number of days will do: few of
    them hardly move the priors.
    """
    persistence = 0.5 ** (bin_length / HALF_LIFE)
    rows = [_surprises(day, shares) for day in days]
    tail = min(max(CLOSING_STRETCH // bin_length, 1), len(shares) - 1)
    levels = [_mean(row[: len(row) - tail]) for row in rows]
    usual = _mean(levels)
    surprise, noise = _variances(rows, persistence)
    weight = len(days) / (len(days) + PRIOR_DAYS_OF_BINS)
    if surprise is None or noise is None:
        weight, surprise, noise = 0.0, 0.0, 0.0
    prior_noise = NOISE_VARIANCE * HALF_LIFE / bin_length
    offsets = [level - usual for level in levels]
    squares = sum(offset * offset for offset in offsets)
    ends = [_end(day, shares, tail) for day in days] if tail else []
    return Dynamics(
        level=exp(usual),
        level_variance=(squares + PRIOR_DAYS * LEVEL_VARIANCE) / (len(days) - 1 + PRIOR_DAYS),
        surprise_variance=weight * surprise + (1 - weight) * SURPRISE_VARIANCE,
        noise_variance=weight * noise + (1 - weight) * prior_noise,
        persistence=persistence,
        closing=_closing(offsets, ends, squares),
    )


def surprise(volume: float, expected: float) -> float:
    """Logarithm of a bin's volume over what was expected, which is positive; never below FLOOR."""
    ratio = volume / expected
    return max(log(ratio), FLOOR) if ratio > 0 else FLOOR


def _surprises(day: Sequence[float], shares: Sequence[float]) -> list[float]:
    """Against the curve scaled to the day's own volume, put back on the scale of volumes."""
    total = sum(day)
    scale = log(total)
    return [
        scale + surprise(volume, total * share)
        for volume, share in zip(day, shares, strict=True)
        if share > 0
    ]


def _end(day: Sequence[float], shares: Sequence[float], tail: int) -> float:
    expected = sum(shares[-tail:])
    return log(sum(day)) + surprise(sum(day[-tail:]), sum(day) * expected) if expected > 0 else 0.0


def _variances(
    rows: Sequence[Sequence[float]], persistence: float
) -> tuple[float | None, float | None]:
    """Of the local surprise and of the noise, told apart by how alike neighbours are."""
    count = len(rows)
    bins = len(rows[0])
    if count < 2 or bins < 3:
        return None, None
    centred = [[x - mean for x in row] for row in rows for mean in (_mean(row),)]
    usual = [_mean(column) for column in zip(*centred, strict=True)]
    left = [[x - u for x, u in zip(row, usual, strict=True)] for row in centred]
    # The bins' means were taken from the same days.
    freedom = count / (count - 1)
    both = freedom * _mean([x * x for row in left for x in row])
    shared = freedom * _mean([a * b for row in left for a, b in pairwise(row)])
    kept = min(max(shared / persistence, _LEAST_SHARE * both), (1 - _LEAST_SHARE) * both)
    return kept, both - kept


def _closing(offsets: Sequence[float], ends: Sequence[float], squares: float) -> float:
    """The slope of the closing stretch on the level of the rest of its day, from 0 to 1."""
    if not ends:
        return CLOSING
    middle = _mean(ends)
    shared = sum(o * (end - middle) for o, end in zip(offsets, ends, strict=True))
    prior = PRIOR_DAYS * LEVEL_VARIANCE
    return min(max((shared + prior * CLOSING) / (squares + prior), 0.0), 1.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
