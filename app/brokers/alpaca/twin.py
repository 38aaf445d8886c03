"""An order that carries a stop is two at Alpaca: the limit, and its stop as the nested leg.

Nothing one of the two says is evidence about the child: it is over when both are, and filled by
what both filled.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.brokers.alpaca.reading import (
    OPEN,
    OVER,
    known_of,
    moment,
    number,
    object_of,
    side_of,
    text,
)
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO
from app.ports import OrderReport, Terms

Said = Mapping[str, Any]

WORKING = (ChildStatus.WORKING, ChildStatus.PARTIALLY_FILLED)


class Unsaid(ConnectionError):
    """Alpaca answered, and not what says how a child stands."""


def is_twin(said: Any) -> bool:
    """Whether an order is one of two, told alone or with its leg."""
    return isinstance(said, dict) and said.get("order_class") == "oco"


def legs_of(said: Said) -> Sequence[Said]:
    return [object_of(leg) for leg in said.get("legs") or ()]


def successor_of(said: Said) -> str | None:
    """The order that took its place: one of the two is put anew where the other filled in part."""
    return said.get("replaced_by") if said.get("status") == "replaced" else None


def state_of(head: Said, orders: Sequence[Said]) -> OrderReport | None:
    """What all `orders` of twins make of the child, its `head` among them; None: one is missing
    without which nothing can be said. Raises ValueError."""
    statuses = [_status(order) for order in orders]
    filled = sum((number(order.get("filled_qty") or "0") for order in orders), start=ZERO)
    qty = max(number(order.get("qty")) for order in orders)
    working = any(status in OPEN for status in statuses)
    if not working and filled < qty and _lacks_one(orders, statuses):
        return None
    return OrderReport(
        child_id=text(head.get("client_order_id")),
        broker_order_id=text(head.get("id")),
        status=_working(filled) if working else _end(statuses, filled, qty),
        at=max(moment(o.get("updated_at") or o.get("created_at")) for o in orders),
        filled=filled,
        terms=_terms(head, orders, qty),
    )


def is_leaving(report: OrderReport) -> bool:
    """Whether all is filled and one of the two is still there: it is on its way out."""
    terms = report.terms
    return report.status in WORKING and terms is not None and report.filled >= terms.qty


def settles(orders: Sequence[Said]) -> bool:
    """Whether one of the two is over and the other is not: Alpaca may be about to end it, and tell
    nobody."""
    return len({_status(order) in OPEN for order in orders if not successor_of(order)}) > 1


def _lacks_one(orders: Sequence[Said], statuses: Sequence[str]) -> bool:
    """Whether there may be another that works: the other of the two, or what took the place of one
    and was not told."""
    untold = any(o.get("status") == "replaced" and not o.get("replaced_by") for o in orders)
    return untold or (len(orders) == 1 and statuses[0] != "rejected")


def _status(order: Said) -> str:
    status = text(order.get("status"))
    if status not in OPEN and status not in OVER:
        raise ValueError(f"nobody knows the status {status!r}")
    return status


def _working(filled: Decimal) -> ChildStatus:
    return ChildStatus.PARTIALLY_FILLED if filled else ChildStatus.WORKING


def _end(statuses: Sequence[str], filled: Decimal, qty: Decimal) -> ChildStatus:
    if filled >= qty:
        return ChildStatus.FILLED
    if "expired" in statuses:
        return ChildStatus.EXPIRED
    refused = statuses[0] == "rejected" and not filled
    return ChildStatus.REJECTED if refused else ChildStatus.CANCELED


def _terms(head: Said, orders: Sequence[Said], qty: Decimal) -> Terms | None:
    known = known_of(head)
    stop = next((order for order in orders if order.get("stop_price") is not None), None)
    if known.limit_price is None:
        return None
    return Terms(
        known.symbol,
        side_of(head.get("side")),
        qty,
        known.limit_price,
        stop_price=None if stop is None else number(stop["stop_price"]),
        stop_limit_price=_limit(stop) if stop is not None else None,
    )


def _limit(order: Said) -> Decimal | None:
    """None for what sells at any price: others may have such a stop."""
    limit = order.get("limit_price")
    return None if limit is None else number(limit)
