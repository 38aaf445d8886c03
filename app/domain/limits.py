"""Hard limits on one parent order, counted at the worse of its own and the market's price."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits on one parent order; None: no such limit."""

    max_order_qty: Decimal | None = None
    max_order_notional: Decimal | None = None


def measured(qty: Decimal, limit_price: Decimal | None, reference: Decimal) -> dict[str, Decimal]:
    """What each of the `Limits` is held against."""
    # A limit above the market would be paid in the worst case: the larger price counts.
    price = max(reference, limit_price or reference)
    return {"max_order_qty": qty, "max_order_notional": qty * price}


def check_limits(
    qty: Decimal, limit_price: Decimal | None, reference: Decimal, limits: Limits, field: str
) -> None:
    """Hold an order against the hard limits. Raises Refusal naming `field`."""
    for name, value in measured(qty, limit_price, reference).items():
        limit = getattr(limits, name)
        if limit is not None and value > limit:
            raise Refusal(
                f"risk.{name}",
                f"{name} is {format(limit, 'f')}; this order has {format(value, 'f')}",
                field=field,
                detail={
                    "limit": name,
                    "limit_value": format(limit, "f"),
                    "order_value": format(value, "f"),
                },
            )
