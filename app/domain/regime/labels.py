"""From components to labels: filtered bar by bar, with hysteresis, never smoothed afterwards.

Asked in this order: CRISIS, VOLATILE, then the variance ratio. A label is entered at one threshold
and left at another; between the two it stays. It stays for a minimum dwell too, but that a crisis
begins at once.
"""

from dataclasses import dataclass
from math import erf, sqrt

from app.domain.instant import Instant
from app.domain.regime.record import Components, Label, Regime


@dataclass(frozen=True, slots=True)
class Band:
    """Where a label is entered, and where it is left."""

    enter: float
    leave: float


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes a label; this is our operational definition, there is no standard one."""

    drawdown: Band = Band(0.05, 0.03)
    crisis_percentile: Band = Band(0.9, 0.5)
    """A crisis begins in fast markets only, and is over where they calm down."""
    percentile: Band = Band(0.85, 0.6)
    above_typical: Band = Band(1.5, 1.2)
    """A volatile market moves this many times as much as in the median of its history."""
    z: float = 1.0
    """How far from a random walk the variance ratio must be to change between the two labels."""
    dwell: int = 10
    """For so many bars at least a label stays."""


@dataclass(frozen=True, slots=True)
class Held:
    """The label after a bar, since when, and for how many bars."""

    label: Label
    since: Instant
    bars: int


def held(before: Held | None, parts: Components, rules: Rules) -> Held:
    """The label after one more bar."""
    now = before.label if before is not None else None
    wanted = _wanted(now, parts, rules)
    if before is None:
        return Held(wanted, parts.at, 1)
    settled = before.bars >= rules.dwell or wanted is Label.CRISIS
    if wanted is before.label or not settled:
        return Held(before.label, before.since, before.bars + 1)
    return Held(wanted, parts.at, 1)


def regime(of: Held, parts: Components, rules: Rules) -> Regime:
    return Regime(parts.at, of.label, of.since, confidence(of.label, parts, rules), parts)


def confidence(label: Label, parts: Components, rules: Rules) -> float:
    """How clearly the components say what the label says, in [0, 1].

    Of the two by the variance ratio: the probability that a random walk would have had less of it.
    Of the others: 0 where they are left, a half where they are entered, 1 as far beyond.
    """
    match label:
        case Label.CRISIS:
            return _beyond(parts.drawdown, rules.drawdown)
        case Label.VOLATILE:
            return min(
                _beyond(parts.percentile, rules.percentile),
                _beyond(_above(parts), rules.above_typical),
            )
        case Label.TRENDING:
            return _normal(parts.z)
        case Label.MEAN_REVERTING:
            return _normal(-parts.z)


def _wanted(now: Label | None, parts: Components, rules: Rules) -> Label:
    if _crisis(now is Label.CRISIS, parts, rules):
        return Label.CRISIS
    if _volatile(now is Label.VOLATILE, parts, rules):
        return Label.VOLATILE
    if parts.z >= rules.z:
        return Label.TRENDING
    if parts.z <= -rules.z:
        return Label.MEAN_REVERTING
    if now in (Label.TRENDING, Label.MEAN_REVERTING):
        return now
    return Label.TRENDING if parts.z > 0 else Label.MEAN_REVERTING


def _crisis(inside: bool, parts: Components, rules: Rules) -> bool:
    fallen, fast = rules.drawdown, rules.crisis_percentile
    if inside:
        return parts.drawdown >= fallen.leave and parts.percentile >= fast.leave
    return parts.drawdown >= fallen.enter and parts.percentile >= fast.enter


def _volatile(inside: bool, parts: Components, rules: Rules) -> bool:
    rank, above = rules.percentile, rules.above_typical
    if inside:
        return parts.percentile >= rank.leave and _above(parts) >= above.leave
    return parts.percentile >= rank.enter and _above(parts) >= above.enter


def _above(parts: Components) -> float:
    return parts.volatility / parts.typical if parts.typical > 0 else 1.0


def _beyond(value: float, band: Band) -> float:
    return min(max((value - band.leave) / (2 * (band.enter - band.leave)), 0.0), 1.0)


def _normal(z: float) -> float:
    return (1 + erf(z / sqrt(2))) / 2
