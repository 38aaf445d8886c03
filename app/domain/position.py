"""Positions and realised profit: a ledger of fills by average cost."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.quantity import ZERO, Side


@dataclass(frozen=True, slots=True)
class Position:
    """Signed quantity, its average price, profit realised so far (before fees), and fees."""

    qty: Decimal = ZERO
    average_price: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO


def with_fill(
    position: Position, *, side: Side, qty: Decimal, price: Decimal, fee: Decimal
) -> Position:
    """The position after one fill. Reducing realises against the average; flipping reopens."""
    signed = side.sign * qty
    after = position.qty + signed
    fees = position.fees + fee
    if position.qty * signed >= 0:
        cost = abs(position.qty) * position.average_price + qty * price
        return Position(after, cost / abs(after), position.realised, fees)
    closed = min(qty, abs(position.qty))
    direction = 1 if position.qty > 0 else -1
    realised = position.realised + closed * (price - position.average_price) * direction
    if after == 0:
        return Position(ZERO, ZERO, realised, fees)
    flipped = after * position.qty < 0
    return Position(after, price if flipped else position.average_price, realised, fees)
