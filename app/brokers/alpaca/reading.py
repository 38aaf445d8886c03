"""From Alpaca's JSON to reports. Whatever is not as it should be raises ValueError."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.domain.identity import parse_child
from app.domain.instant import SECOND, Instant, from_datetime
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side
from app.ports import BustReport, ExecutionReport, OrderReport, Terms

OPEN = frozenset(
    {
        "new",
        "accepted",
        "pending_new",
        "accepted_for_bidding",
        "held",
        "pending_review",
        "pending_cancel",
        "pending_replace",
        "stopped",
        "suspended",
        "calculated",
        # An order for the day is over when it is told to have expired.
        "done_for_day",
        "partially_filled",
    }
)
OVER: Mapping[str, ChildStatus] = {
    "filled": ChildStatus.FILLED,
    "canceled": ChildStatus.CANCELED,
    "expired": ChildStatus.EXPIRED,
    "rejected": ChildStatus.REJECTED,
    # Somebody else put another order in its place, under another id: this one is over.
    "replaced": ChildStatus.CANCELED,
}
_SIDES: Mapping[str, Side] = {
    "buy": Side.BUY,
    "sell": Side.SELL,
    "sell_short": Side.SELL,
    "sell_short_exempt": Side.SELL,
}
MAKER_AFTER = 1 * SECOND
"""Alpaca does not tell who made the price: an execution at its own limit, this long after its
order came in, is counted as made, every other as taken."""

UNTOLD_FEE = Decimal(0)
"""Fees are not in updates or fills; Alpaca books them by the day, apart from executions."""


@dataclass(frozen=True, slots=True)
class Known:
    """What has to be remembered of an order to read its executions. `twin`: it is one of two, of
    which neither alone says whether the child is over."""

    child_id: str
    order_id: str
    symbol: str
    asset_id: str
    immediate: bool
    limit_price: Decimal | None
    submitted_at: Instant
    over: bool
    head: str
    """The order that it is a leg of; itself, where it is none."""
    twin: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An execution, a correction or a bust, with what finds it again in another list: its order
    and how much of that was filled by then. `pair`: of something that is traded in another."""

    report: ExecutionReport | BustReport
    order_id: str
    filled: Decimal | None
    pair: bool


def known_of(said: Any) -> Known:
    """Raises ValueError."""
    order = object_of(said)
    limit, twin = order.get("limit_price"), order.get("order_class") == "oco"
    return Known(
        child_id=text(order.get("client_order_id")),
        order_id=text(order.get("id")),
        symbol=text(order.get("symbol")),
        asset_id=str(order.get("asset_id") or ""),
        immediate=order.get("time_in_force") in ("ioc", "fok"),
        limit_price=None if limit is None else number(limit),
        submitted_at=moment(order.get("submitted_at") or order.get("created_at")),
        over=text(order.get("status")) in OVER and not twin,
        head=text(order.get("id")),
        twin=twin,
    )


def order_report(said: Any) -> OrderReport:
    """The state of an order. Raises ValueError."""
    order, known = object_of(said), known_of(said)
    status, filled = text(order.get("status")), number(order.get("filled_qty") or "0")
    if status not in OPEN and status not in OVER:
        raise ValueError(f"nobody knows the status {status!r}")
    working = ChildStatus.PARTIALLY_FILLED if filled else ChildStatus.WORKING
    return OrderReport(
        child_id=known.child_id,
        broker_order_id=known.order_id,
        status=OVER.get(status, working),
        at=moment(order.get("updated_at") or order.get("created_at")),
        filled=filled,
        reason="replaced" if status == "replaced" else None,
        terms=_terms(order, known),
    )


def foreign(said: Any) -> bool:
    """Whether an order has an id that is none of ours: somebody else trades here too, and perhaps
    what nobody here can read (several legs, options)."""
    name = said.get("client_order_id") if isinstance(said, dict) else None
    return isinstance(name, str) and parse_child(name) is None


def told_by_stream(event: str, data: Any, known: Known) -> Told:
    """A fill, a correction or a bust of the stream. Raises ValueError."""
    said = object_of(data)
    order = object_of(said.get("order"))
    return _told(event, said, known, order.get("side"), order.get("filled_qty"), "")


def told_by_list(said: Any, known: Known) -> Told:
    """The same of the list of activities. Raises ValueError."""
    row = object_of(said)
    name = text(row.get("id")).rpartition("::")[2]
    return _told(text(row.get("type")), row, known, row.get("side"), row.get("cum_qty"), name)


def _told(
    event: str, said: Mapping[str, Any], known: Known, side: Any, filled: Any, name: str
) -> Told:
    at = moment(said.get("timestamp") or said.get("transaction_time"))
    pair = "/" in known.symbol
    report: ExecutionReport | BustReport
    if event == "trade_bust":
        # Where only one id is told it is that of the execution.
        voided = text(said.get("previous_execution_id") or said.get("execution_id"))
        report = BustReport(known.child_id, voided, at, str(said.get("reason") or "bust")[:80])
        return Told(report, known.order_id, None, pair)
    if event not in ("fill", "partial_fill", "trade_correct"):
        raise ValueError(f"nobody knows an execution that is a {event!r}")
    corrects = text(said.get("previous_execution_id")) if event == "trade_correct" else None
    price = above_zero(said.get("price"))
    report = ExecutionReport(
        child_id=known.child_id,
        broker_order_id=known.head,
        execution_id=name or text(said.get("execution_id")),
        symbol=known.symbol,
        side=side_of(side),
        qty=above_zero(said.get("qty")),
        price=price,
        fee=UNTOLD_FEE,
        liquidity=_liquidity(known, price, at),
        at=at,
        corrects=corrects,
    )
    return Told(report, known.order_id, None if filled is None else number(filled), pair)


def _liquidity(known: Known, price: Decimal, at: Instant) -> str:
    waited = at - known.submitted_at > MAKER_AFTER
    made = not known.immediate and waited and price == known.limit_price
    return "maker" if made else "taker"


def _terms(order: Mapping[str, Any], known: Known) -> Terms | None:
    """None for an order that is none of ours: of an amount of money, or without a limit."""
    if known.limit_price is None or order.get("qty") is None:
        return None
    side, qty = side_of(order.get("side")), number(order["qty"])
    stop = order.get("stop_price")
    return Terms(
        known.symbol,
        side,
        qty,
        known.limit_price,
        order.get("time_in_force") == "cls",
        stop_price=None if stop is None else number(stop),
    )


def positions(said: Any, symbol_of: Callable[[Mapping[str, Any]], str]) -> dict[str, Decimal]:
    """Signed quantity per symbol. Raises ValueError."""
    held: dict[str, Decimal] = {}
    for row in list_of(said):
        qty = number(object_of(row).get("qty"))
        signed = -abs(qty) if row.get("side") == "short" else qty
        held[symbol_of(row)] = signed
    return held


def list_of(said: Any) -> Sequence[Any]:
    if not isinstance(said, list):
        raise ValueError("a list was expected")
    return said


def object_of(said: Any) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise ValueError("a JSON object was expected")
    return said


def number(said: Any) -> Decimal:
    """A finite decimal; Alpaca writes text, other houses of its kind sometimes numbers."""
    if not isinstance(said, str | int | float) or isinstance(said, bool):
        raise ValueError(f"{said!r} is not a number")
    try:
        value = Decimal(str(said))
    except InvalidOperation:
        raise ValueError(f"{said!r} is not a number") from None
    if not value.is_finite():
        raise ValueError(f"{said!r} is not a number")
    return value


def above_zero(said: Any) -> Decimal:
    value = number(said)
    if value <= 0:
        raise ValueError(f"{said!r} is not above zero")
    return value


def moment(said: Any) -> Instant:
    """An instant from RFC 3339; digits beyond microseconds are cut off."""
    try:
        return from_datetime(datetime.fromisoformat(text(said)))
    except (ValueError, OverflowError):
        raise ValueError(f"{said!r} is not a moment") from None


def text(said: Any) -> str:
    if not isinstance(said, str) or not said:
        raise ValueError(f"{said!r} is not text")
    return said


def side_of(said: Any) -> Side:
    side = _SIDES.get(text(said))
    if side is None:
        raise ValueError(f"nobody knows the side {said!r}")
    return side
