"""Children decided at this very moment that no order holds yet."""

from collections.abc import Sequence

from app.domain.actions import Send
from app.domain.fact import Purpose
from app.domain.quantity import Side
from app.engine.working import Working

Leaving = tuple[str, str, Send]
"""A child on its way out: symbol, order id, and what is sent."""


def entering(order: Working, leaving: Sequence[Leaving]) -> frozenset[Side]:
    """The sides of other orders' children that are on their way to the same auction."""
    return frozenset(
        send.side
        for symbol, order_id, send in leaving
        if symbol == order.symbol and order_id != order.order_id and send.purpose is Purpose.CLOSE
    )


def stops_leave(order: Working, leaving: Sequence[Leaving]) -> bool:
    """Whether a stop of another order goes out on the other side."""
    side = order.execution.task.side.other
    return any(
        send.side is side and send.stop_price is not None
        for symbol, order_id, send in leaving
        if symbol == order.symbol and order_id != order.order_id
    )
