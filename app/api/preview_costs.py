"""The expected cost of a previewed order as JSON: parts, range, alternatives, frontier, shares."""

from decimal import Decimal
from typing import Any

from app.api.order_bodies import exact
from app.domain.cost.frontier import IN_VOLUME, LINEAR, PERIODS, Frontier, urgencies_at
from app.domain.cost.model import Estimate
from app.domain.cost.participation import AS_IT_COMES, NO_VOLUME
from app.domain.cost.plain import money, parts, short
from app.domain.impact.almgren_chriss import FrontierPoint
from app.domain.instant import rfc3339
from app.engine.costing import brief
from app.engine.preview import Preview

_BPS = Decimal(10_000)


def cost(preview: Preview) -> dict[str, Any]:
    """Basis points of the arrival mid and money, positive = cost; unknown is null, with why."""
    estimate, notional = preview.estimate, preview.admitted.notional
    quote = preview.admitted.quote
    arrival = half = None
    if quote is not None and quote.uncrossed:
        half = (quote.ask - quote.bid) / 2
        arrival = {"bid": exact(quote.bid), "ask": exact(quote.ask), "mid": exact(quote.mid)}
    return {
        "arrival": arrival,
        "currency": preview.admitted.task.instrument.currency,
        "half_spread_bps": _exact(round(half / quote.mid * _BPS, 4) if half and quote else None),
        "half_spread_money": _exact(
            round(half * preview.admitted.task.qty, 4) if half is not None else None
        ),
        "expected": _priced(estimate.total, notional) | {"reason": estimate.reason},
        "sd": _priced(estimate.sd, notional),
        "range": {
            "level": "0.9",
            "low": _priced(estimate.low, notional),
            "high": _priced(estimate.high, notional),
        },
        "parts": {
            name: _priced(part.bps, notional) | {"reason": part.reason}
            for name, part in parts(estimate).items()
        },
        "participation": short(estimate.participation),
        "source": estimate.source,
        "assumptions": list(estimate.assumptions),
        "inputs": _inputs(estimate),
    }


def alternatives(preview: Preview) -> list[dict[str, Any]]:
    """What else it could be, in the order of the router's rules."""
    return [brief(one) for one in preview.alternatives]


def participation(preview: Preview) -> dict[str, Any]:
    """The planned or expected share of the market's volume over time, own volume counted."""
    shares = preview.shares
    reason = NO_VOLUME if shares is None else AS_IT_COMES if preview.expected else None
    return {
        "basis": basis(preview),
        "slices": [
            {
                "at": rfc3339(share.at),
                "market_volume": exact(round(share.volume, 4)),
                "share": exact(round(share.participation, 6)),
            }
            for share in shares or ()
        ],
        "daily_volume": _exact(preview.scene.daily_volume),
        "reason": reason,
    }


def basis(preview: Preview) -> str:
    """What the slices are: fixed by the order's plan, or an estimate of when they come."""
    return "expected" if preview.expected else "planned"


def frontier(preview: Preview) -> dict[str, Any]:
    """What less risk would cost, by Almgren and Chriss: from even (kappa_t 0) to hasty."""
    known: Frontier = preview.frontier
    notional = float(preview.admitted.notional)
    return {
        "points": [_point(point, notional) for point in known.points],
        "periods": PERIODS,
        "assumptions": [LINEAR, IN_VOLUME],
        "reason": known.reason,
    }


def _point(point: FrontierPoint, notional: float) -> dict[str, Any]:
    return {
        "kappa_t": short(point.kappa_t),
        "urgency": urgencies_at(point.kappa_t),
        "risk_aversion": short(point.risk_aversion),
        "expected_bps": short(point.expected / notional * 10_000),
        "sd_bps": short(point.sd / notional * 10_000),
        "expected_money": short(point.expected),
        "sd_money": short(point.sd),
        "first_trade": short(point.first_trade),
    }


def _inputs(estimate: Estimate) -> dict[str, Any]:
    conditions, pace = estimate.conditions, estimate.pace
    return {
        "volatility": short(conditions.sigma),
        "daily_volume": short(conditions.daily_volume),
        "days": short(pace.days),
        "crossing_share": short(pace.aggressive),
        "spread_scale": short(estimate.calibration.spread_scale),
        "impact_scale": short(estimate.calibration.impact_scale),
    }


def _priced(bps: Decimal | None, notional: Decimal) -> dict[str, Any]:
    return {"bps": _exact(bps), "money": _exact(money(bps, notional))}


def _exact(value: Decimal | None) -> str | None:
    return None if value is None else exact(value)
