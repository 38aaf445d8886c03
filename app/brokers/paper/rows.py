"""From rows of the ledger to records and back to exact text."""

from decimal import Decimal
from typing import Any

from app.domain.fact import TimeInForce
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.domain.venue.records import Ended, Execution, Liquidity, Order

ORDER = (
    "o.number, o.client_id, o.symbol, o.side, o.qty, o.limit_price, o.time_in_force,"
    " o.received_at, o.arrives_at, o.expires_at"
)
ORDER_WIDTH = ORDER.count(",") + 1
EXECUTION = "e.seq, e.qty, e.price, e.fee, e.liquidity, e.at, e.shown_at"
ENDED = "x.seq, x.status, x.reason, x.filled, x.at"
OPEN = "NOT EXISTS (SELECT 1 FROM outcomes x WHERE x.order_number = o.number)"

Row = tuple[Any, ...]


def text(number: Decimal) -> str:
    """Exact, and without an exponent."""
    return format(number, "f")


def order_from(row: Row) -> Order:
    number, client_id, symbol, side, qty, limit, time_in_force, *times = row[:ORDER_WIDTH]
    return Order(
        number,
        client_id,
        symbol,
        Side(side),
        Decimal(qty),
        Decimal(limit),
        TimeInForce(time_in_force),
        *times,
    )


def execution_from(row: Row) -> Execution:
    """An execution that follows its order in a joined row."""
    seq, qty, price, fee, liquidity, at, shown_at = row[ORDER_WIDTH:]
    return Execution(
        seq,
        order_from(row),
        Decimal(qty),
        Decimal(price),
        Decimal(fee),
        Liquidity(liquidity),
        at,
        shown_at,
    )


def ended_from(row: Row) -> Ended:
    """An outcome that follows its order in a joined row."""
    seq, status, reason, filled, at = row[ORDER_WIDTH:]
    return Ended(seq, order_from(row), ChildStatus(status), reason, Decimal(filled), at)
