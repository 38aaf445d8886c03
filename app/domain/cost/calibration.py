"""What a house's own outcomes say of the published cost model: two scales, fitted with care.

One order says next to nothing: Almgren et al. explain below 1 % of the variance, and to see 1 bp
where the sd is 50 takes some 9,600 orders. So the scales are those of a Bayesian with a prior of
1 +- 1/2 for each: few or noisy outcomes leave them near 1, many move them. Outcomes count by the
timing risk that was told beforehand, and large surprises count linearly, not squared (Huber).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST = 50
"""Fewer outcomes than this change nothing: the published coefficients stand."""

PRIOR_SD = 0.5
SPREAD_RANGE = (0.05, 2.0)
IMPACT_RANGE = (0.1, 10.0)
HUBER = 1.345
"""In standard deviations: 95 % as sharp as least squares where outcomes are normal."""

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Calibration:
    """Factors on the spread part, and on impact and urgency together. `source` says whose they
    are: `published`, or `calibrated:n=…` with the number of orders they were fitted on."""

    spread_scale: float = 1.0
    impact_scale: float = 1.0
    source: str = "published"


PUBLISHED = Calibration()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One finished order: what the published model expected, and what came, in basis points of
    the arrival mid, positive = cost. `sd` is the timing risk told beforehand."""

    spread: float
    market: float
    """Impact and urgency."""
    sd: float
    realised: float


def calibrate(history: Sequence[Outcome]) -> Calibration:
    """The scales that a history supports; PUBLISHED for fewer than `LEAST` usable outcomes."""
    told = [(o.spread, o.market, o.sd, o.realised) for o in history if o.sd > 0]
    rows = np.array(told, dtype=float).reshape(-1, 4)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < LEAST:
        return PUBLISHED
    spread, market, sd, realised = rows.T
    terms = np.column_stack((spread, market)) / sd[:, None]
    surprise = (realised - spread - market) / sd
    departure = np.zeros(2)
    for _ in range(_ROUNDS):
        departure = _fitted(terms, surprise, departure)
    return Calibration(
        spread_scale=_within(1 + float(departure[0]), SPREAD_RANGE),
        impact_scale=_within(1 + float(departure[1]), IMPACT_RANGE),
        source=f"calibrated:n={len(rows)}",
    )


def _fitted(terms: Floats, surprise: Floats, departure: Floats) -> Floats:
    """One step of reweighted least squares for the departures from 1, with their prior; all in
    units of the sd that was told."""
    errors = np.abs(surprise - terms @ departure)
    # How much wider outcomes fall than was told, by the median; never narrower: that a timing
    # risk was told too large makes nobody surer.
    noise = max(float(np.median(errors)) * 1.4826, 1.0)
    errors /= noise
    weights = np.where(errors <= HUBER, 1.0, HUBER / np.maximum(errors, HUBER)) / noise**2
    weighted = terms * weights[:, None]
    # The prior keeps this soluble, whatever the outcomes.
    information = terms.T @ weighted + np.eye(2) / PRIOR_SD**2
    solved = np.linalg.solve(information, weighted.T @ surprise)
    return solved.astype(np.float64)


def _within(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
