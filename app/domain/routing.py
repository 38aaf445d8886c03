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


def taken_for(thresholds: Thresholds) -> dict[str, str]:
    """What the rules take each algorithm for."""
    small, large = thresholds.market_below, thresholds.vwap_above
    share = f"{thresholds.vwap_participation:.2%} of daily volume"
    return {
        "market": f"for a notional below {small}, and at immediate urgency",
        "limit": "for low urgency",
        "twap": f"for a notional from {small} to {large}, and above it up to {share}",
        "vwap": f"for a notional above {large} and more than {share}, or where that is not known",
    }


def is_large(
    *, notional: Decimal, qty: Decimal, daily_volume: Decimal | None, thresholds: Thresholds
) -> bool:
    """Whether an order is too large to be taken out of the market at once: by its money, or by
    its share of a day's volume."""
    share = qty / daily_volume if daily_volume else Decimal(0)
    return notional >= thresholds.market_below or share > thresholds.vwap_participation
