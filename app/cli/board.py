"""What is known of the orders that are watched: answers of the API, moved on by frames."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ENDED = frozenset({"filled", "canceled", "expired", "rejected"})


@dataclass(slots=True)
class Watched:
    """One order as a screen needs it."""

    id: str
    symbol: str
    side: str
    algo: str
    qty: Decimal
    filled: Decimal
    status: str
    seq: int
    children: int = 0
    fills: int = 0
    reason: str | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def title(self) -> str:
        return f"{self.side} {self.qty} {self.symbol} {self.algo}"


@dataclass(slots=True)
class Board:
    """The watched orders, by id, in the order they were put up."""

    orders: dict[str, Watched] = field(default_factory=dict)

    @property
    def all_ended(self) -> bool:
        return all(order.ended for order in self.orders.values())

    def put(self, answer: dict[str, Any]) -> Watched:
        """An order as GET /orders/{id} tells it."""
        order = Watched(
            id=answer["id"],
            symbol=answer["symbol"],
            side=answer["side"],
            algo=answer["algo"],
            qty=Decimal(answer["qty"]),
            filled=Decimal(answer["filled"]),
            status=answer["status"],
            seq=answer["seq"],
            reason=answer["reason"],
        )
        known = self.orders.get(order.id)
        if known is not None:
            order.children, order.fills = known.children, known.fills
        self.orders[order.id] = order
        return order

    def move(self, frame: dict[str, Any]) -> Watched | None:
        """The order that a frame moved on; None where it told nothing new.

        An alert names an order without a place in its sequence: it moves nothing.
        """
        order = self.orders.get(frame["order_id"] or "")
        if order is None or frame["seq"] is None or frame["seq"] <= order.seq:
            return None
        data, sums = frame["data"], frame["data"]["order"]
        order.seq, order.status = frame["seq"], sums["status"]
        order.qty, order.filled = Decimal(sums["qty"]), Decimal(sums["filled"])
        order.children += frame["type"] == "child.intended"
        order.fills += frame["type"] == "fill.booked"
        if frame["type"].removeprefix("order.") in ENDED:
            order.reason = data.get("reason")
        return order
