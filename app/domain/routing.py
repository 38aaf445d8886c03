"""The router's plain size rule: which algorithm an `auto` order becomes, and why."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.task import Urgency


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Notional bounds in the instrument's currency, and a share of daily volume."""

    market_below: Decimal = Decimal(10_000)
    vwap_above: Decimal = Decimal(100_000)
    vwap_participation: Decimal = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Route:
    algo: str
    reason: str


def route(
    *,
    notional: Decimal,
    qty: Decimal,
    daily_volume: Decimal | None,
    urgency: Urgency,
    thresholds: Thresholds,
) -> Route:
    """The algorithm for an order of this size and urgency.

    Without a daily volume, participation is not known and VWAP is taken above the upper bound:
    a large order of unknown share must not be hurried.
    """
    if urgency is Urgency.IMMEDIATE:
        return Route("market", "urgency immediate")
    if urgency is Urgency.LOW:
        return Route("limit", "urgency low")
    if notional < thresholds.market_below:
        return Route("market", f"notional below {thresholds.market_below}")
    if notional <= thresholds.vwap_above:
        return Route("twap", f"notional up to {thresholds.vwap_above}")
    if daily_volume is None or daily_volume <= 0:
        return Route("vwap", f"notional above {thresholds.vwap_above}, daily volume not known")
    share = qty / daily_volume
    if share > thresholds.vwap_participation:
        return Route("vwap", f"{share:.2%} of daily volume")
    return Route("twap", f"{share:.2%} of daily volume")
