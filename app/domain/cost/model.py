"""The pre-trade cost of an order in four parts that count nothing twice.

Published models put volatility and urgency inside of impact (Almgren et al. 2005: J = I/2 + K,
both proportional to sigma, K growing with the rate). Adding terms of their own for them would
count both twice (reference: quant.md 2.5). So the sum is

    cost = half spread x share that crosses + I/2 + K(pace),

and it is *split*, not added to:

- spread: half the quoted spread on the share that crosses it;
- impact: I/2 + K at the slowest pace there is, along the volume from the order's start to the end
  of its session: what the size costs however patiently it is worked;
- urgency: K at the order's own pace less that K: what being faster, or against the volume, adds;
- volatility: 0. Prices move as often for us as against us; what volatility does is the range
  around the total: timing risk, sigma sqrt(T/3) at an even pace along the volume.

Everything is in basis points of the arrival mid, positive = cost, the same for buys and sells.
"""

from decimal import Decimal
from math import sqrt
from typing import NamedTuple

from app.domain.cost.calibration import PUBLISHED, Calibration
from app.domain.cost.pace import Pace
from app.domain.impact import almgren_2005

Z_90 = 1.6448536269514722
"""The 95 % point of the normal distribution: a range of 90 % lies this many sd either way."""

NO_QUOTE = "there is no uncrossed quote to measure the spread from"
NO_VOLUME = "the daily volume is not known"
NO_VOLATILITY = "the volatility is not known"
ALL_FILLS = "all fills; no fees, no drift of the price"

_FINE = 4
"""Digits after the point, of a basis point."""


# Named tuples: every order makes all of these, and frozen records take five times as long to make.


class Conditions(NamedTuple):
    """The market an order meets, None where not known: half the spread and a day's volatility as
    fractions of the price, a usual day's volume in units of the instrument."""

    half_spread: float | None
    sigma: float | None
    daily_volume: float | None


class Part(NamedTuple):
    """A part of the cost in basis points; None with the reason."""

    bps: Decimal | None
    reason: str | None = None


class Estimate(NamedTuple):
    """An order's expected cost: basis points of the arrival mid, positive = cost.

    `total` is the exact sum of the four parts, None with a `reason` where one of them is not
    known. `sd` is that of the cost around it by the price's own moves, `low` and `high` are the
    5 % and 95 % points. `participation` is the planned share of the market's volume.
    """

    spread: Part
    impact: Part
    urgency: Part
    volatility: Part
    total: Decimal | None
    reason: str | None
    sd: Decimal | None
    source: str
    assumptions: tuple[str, ...]
    participation: float | None
    conditions: Conditions
    pace: Pace
    calibration: Calibration

    @property
    def low(self) -> Decimal | None:
        return self._at(-Z_90)

    @property
    def high(self) -> Decimal | None:
        return self._at(Z_90)

    def _at(self, z: float) -> Decimal | None:
        if self.total is None or self.sd is None:
            return None
        return self.total + _bps(z * float(self.sd) / 1e4)


def estimate(
    quantity: float, conditions: Conditions, pace: Pace, calibration: Calibration = PUBLISHED
) -> Estimate:
    """What `quantity` (units of the instrument) is expected to cost at this pace."""
    spread = _spread(conditions, pace, calibration)
    impact, urgency = _market(quantity, conditions, pace, calibration)
    sigma, volume = conditions.sigma, conditions.daily_volume
    volatility = _NOTHING if sigma is not None else Part(None, NO_VOLATILITY)
    total, reason = _summed(spread, impact, urgency, volatility)
    sd = _bps(sigma * sqrt(pace.risk_days)) if sigma is not None else None
    assumptions = (*pace.assumptions, almgren_2005.ASSUMED_SHARES, ALL_FILLS)
    participation = quantity / (quantity + volume * pace.days) if volume else None
    # By place: to find thirteen places by name takes as long as all the arithmetic.
    return Estimate(
        spread,
        impact,
        urgency,
        volatility,
        total,
        reason,
        sd,
        calibration.source,
        assumptions,
        participation,
        conditions,
        pace,
        calibration,
    )


def _summed(*parts: Part) -> tuple[Decimal | None, str | None]:
    """All parts together, or why not."""
    total = _ZERO
    for bps, reason in parts:
        if bps is None:
            return None, reason
        total += bps
    return total, None


def _spread(conditions: Conditions, pace: Pace, calibration: Calibration) -> Part:
    half = conditions.half_spread
    if half is None:
        return Part(None, NO_QUOTE)
    return Part(_bps(half * pace.aggressive * calibration.spread_scale))


def _market(
    quantity: float, conditions: Conditions, pace: Pace, calibration: Calibration
) -> tuple[Part, Part]:
    """Impact and urgency."""
    sigma, volume = conditions.sigma, conditions.daily_volume
    if not volume or sigma is None:
        missing = Part(None, NO_VOLATILITY if volume else NO_VOLUME)
        return missing, missing
    share = quantity / volume
    scale = calibration.impact_scale
    at_pace = almgren_2005.temporary(share, sigma) * pace.haste
    # No pace is slower than the slowest; a cap on participation may make ours as cheap.
    slowest = min(almgren_2005.temporary(share / pace.slowest_days, sigma), at_pace)
    lasting = almgren_2005.permanent(share, sigma) / 2
    return Part(_bps((lasting + slowest) * scale)), Part(_bps((at_pace - slowest) * scale))


_ZERO = Decimal(0)
_NOTHING = Part(_ZERO)
_SHARP = 10 ** (4 + _FINE)
_FINEST = Decimal(1).scaleb(-_FINE)


def _bps(fraction: float) -> Decimal:
    """A fraction of the price in basis points, to four digits after the point."""
    return Decimal(round(fraction * _SHARP)) * _FINEST
