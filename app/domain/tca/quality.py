"""How an order's cost compares with what a model said before, and a score out of it.

    z = (realised − expected) / sd        score = 100 × (1 − Φ(z))

Under a right model z is a standard normal number and scores are uniform over 0…100: an ordinary
order scores 50, one in five scores above 80. Almgren et al. (2005) normalise residuals the same
way. One order says almost nothing: the model explains about a hundredth of the variance, and to
see a difference of 1 bp where sd is 50 bp needs (1.96 × 50)² ≈ 9,600 orders. A mean is shown with
its standard error.

Realised is the implementation shortfall without fees: models do not know tariffs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist
from typing import Any

_NORMAL = NormalDist()

GRADES: tuple[tuple[float, str], ...] = ((80.0, "A"), (60.0, "B"), (40.0, "C"), (20.0, "D"))
"""From this score on; below all of them it is F. Under a right model each is a fifth."""

PARTS = ("spread_bps", "impact_bps", "urgency_bps", "volatility_bps")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model expected before the order was worked: basis points, positive = cost. `sd_bps`
    is the standard deviation of the cost (timing risk); None where the model had none."""

    total_bps: Decimal
    sd_bps: Decimal | None
    parts: Mapping[str, Decimal]
    source: str


@dataclass(frozen=True, slots=True)
class Quality:
    """`z`, `score` (0…100, more is better) and `grade`, or None with a reason."""

    z: float | None
    score: float | None
    grade: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Estimate against outcome. `error_bps` = realised − expected: positive = dearer than said."""

    expected_bps: Decimal | None
    sd_bps: Decimal | None
    realised_bps: Decimal | None
    error_bps: Decimal | None
    quality: Quality
    reason: str | None = None


NO_MODEL = "no estimate was kept with the order"


def compared(
    estimate: Estimate | None, realised_bps: Decimal | None, reason: str | None = None
) -> Comparison:
    """The outcome beside what was expected; `reason` says why the outcome is not known."""
    if estimate is None:
        nothing = Quality(None, None, None, NO_MODEL)
        return Comparison(None, None, realised_bps, None, nothing, NO_MODEL)
    expected, sd = estimate.total_bps, estimate.sd_bps
    if realised_bps is None:
        return Comparison(expected, sd, None, None, Quality(None, None, None, reason), reason)
    error = realised_bps - expected
    return Comparison(expected, sd, realised_bps, error, quality(realised_bps, expected, sd))


def quality(realised_bps: Decimal, expected_bps: Decimal, sd_bps: Decimal | None) -> Quality:
    """The score of one outcome under the model's normal law."""
    if sd_bps is None or sd_bps <= 0:
        return Quality(None, None, None, "the estimate says nothing of its spread")
    z = float((realised_bps - expected_bps) / sd_bps)
    score = 100 * _NORMAL.cdf(-z)
    return Quality(z, score, grade(score))


def grade(score: float) -> str:
    """A … F, a fifth of all scores each."""
    return next((letter for least, letter in GRADES if score >= least), "F")


def estimate_from(data: Mapping[str, Any] | None) -> Estimate | None:
    """The estimate that was kept with an order (`orders.estimate`); None where none was."""
    if not data or data.get("total_bps") is None:
        return None
    sd = data.get("sd_bps")
    parts = data.get("parts") or {}
    return Estimate(
        total_bps=Decimal(str(data["total_bps"])),
        sd_bps=Decimal(str(sd)) if sd is not None else None,
        parts={name: Decimal(str(parts[name])) for name in PARTS if parts.get(name) is not None},
        source=str(data.get("source") or ""),
    )
