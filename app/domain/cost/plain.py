"""An estimate as JSON, for the order's row and for answers."""

from decimal import Decimal
from functools import lru_cache
from typing import Any

from app.domain.cost.model import Estimate, Part
from app.domain.quantity import digits

_BPS = Decimal(10_000)


def plain(estimate: Estimate) -> dict[str, Any]:
    """Basis points of the arrival mid as decimal strings, positive = cost; unknown is null.

    `inputs` are what it was made from, in fractions: half the spread and a day's volatility of
    the price, `days` of a usual day's volume, and the scales that were fitted, so that an outcome
    can be held against the published model as well.
    """
    conditions, pace = estimate.conditions, estimate.pace
    return {
        "total_bps": _text(estimate.total),
        "sd_bps": _text(estimate.sd),
        "parts": {
            "spread_bps": _text(estimate.spread.bps),
            "impact_bps": _text(estimate.impact.bps),
            "urgency_bps": _text(estimate.urgency.bps),
            "volatility_bps": _text(estimate.volatility.bps),
        },
        "reason": estimate.reason,
        "source": estimate.source,
        "assumptions": list(estimate.assumptions),
        "inputs": {
            "half_spread": short(conditions.half_spread),
            "volatility": short(conditions.sigma),
            "daily_volume": short(conditions.daily_volume),
            "days": short(pace.days),
            "crossing_share": short(pace.aggressive),
            "participation": short(estimate.participation),
            "spread_scale": short(estimate.calibration.spread_scale),
            "impact_scale": short(estimate.calibration.impact_scale),
        },
    }


def parts(estimate: Estimate) -> dict[str, Part]:
    """The four parts by name."""
    return {
        "spread": estimate.spread,
        "impact": estimate.impact,
        "urgency": estimate.urgency,
        "volatility": estimate.volatility,
    }


def money(bps: Decimal | None, notional: Decimal) -> Decimal | None:
    """Basis points of a notional, in its currency."""
    return None if bps is None else round(bps * notional / _BPS, 4)


@lru_cache(maxsize=1024)
def short(value: float | None) -> str | None:
    """Six digits of a measured number, without an exponent."""
    if value is None:
        return None
    text = f"{value:.6g}"
    return format(Decimal(text), "f") if "e" in text else text


def _text(value: Decimal | None) -> str | None:
    return None if value is None else digits(value)
