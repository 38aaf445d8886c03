"""What the venue charges: positive is a cost."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.quantity import ZERO


@dataclass(frozen=True, slots=True)
class Tariff:
    """Per share and in basis points of the notional; at least `minimum` for an order that fills."""

    per_share: Decimal = ZERO
    bps: Decimal = ZERO
    minimum: Decimal = ZERO

    def total(self, qty: Decimal, notional: Decimal) -> Decimal:
        """All fees of an order that has filled this much."""
        if qty == 0:
            return ZERO
        return max(self.minimum, self.per_share * qty + self.bps * notional / 10_000)
