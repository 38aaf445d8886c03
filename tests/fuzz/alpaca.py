"""Alpaca's side: failures in its shape, everything else as alpaca-py's own models read it."""

from collections.abc import Iterator
from typing import Any

from alpaca.data.models import Bar, Quote, Trade
from alpaca.trading.models import (
    AccountConfiguration,
    Asset,
    Calendar,
    Clock,
    ClosePositionResponse,
    Order,
    Position,
    TradeAccount,
)
from pydantic import ValidationError
from pydantic_core import from_json

from tests.fuzz.answered import Answered

_ONE: dict[str, Any] = {
    "POST /alpaca/v2/orders": Order,
    "GET /alpaca/v2/orders:by_client_order_id": Order,
    "GET /alpaca/v2/orders/{order_id}": Order,
    "PATCH /alpaca/v2/orders/{order_id}": Order,
    "GET /alpaca/v2/positions/{symbol_or_id}": Position,
    "DELETE /alpaca/v2/positions/{symbol_or_id}": Order,
    "GET /alpaca/v2/account": TradeAccount,
    "GET /alpaca/v2/account/configurations": AccountConfiguration,
    "GET /alpaca/v2/clock": Clock,
    "GET /alpaca/v2/assets/{symbol_or_id}": Asset,
}
_MANY: dict[str, Any] = {
    "GET /alpaca/v2/orders": Order,
    "GET /alpaca/v2/positions": Position,
    "DELETE /alpaca/v2/positions": ClosePositionResponse,
    "GET /alpaca/v2/calendar": Calendar,
    "GET /alpaca/v2/assets": Asset,
}
_ACTIVITY = frozenset(
    {"activity_type", "cum_qty", "id", "leaves_qty", "order_id", "order_status", "price", "qty"}
    | {"side", "symbol", "transaction_time", "type"}
)
"""Of the trading API: alpaca-py has a model of the broker API's only, which says more."""
_LATEST = {"quote": Quote, "trade": Trade, "bar": Bar}


def faults(label: str, answered: Answered) -> Iterator[tuple[str, str]]:
    """Kind and detail of what a client of Alpaca's would trip over."""
    try:
        body = from_json(answered.content) if answered.content else None
        if answered.status >= 400:
            _check_failure(answered.status, body)
        elif answered.status != 204:
            _check_success(label, body)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        yield "not Alpaca's shape", f"{answered.status}: {str(wrong)[:600]} {answered.start}"


def _check_failure(status: int, body: Any) -> None:
    """Raises ValueError."""
    code, message, reason = body["code"], body["message"], body["reason"]
    if type(code) is not int or code not in (status * 100_000 + 10_000, 40_010_001):
        raise ValueError(f"code {code} in an answer {status}")
    if not isinstance(message, str) or not message or not isinstance(reason, str):
        raise ValueError("no message or no reason")
    if status == 504 or (status == 429 and reason != "rate_limited"):
        raise ValueError("the client would send the order again")


def _check_success(label: str, body: Any) -> None:
    """Raises what the client's models raise."""
    if label in _ONE:
        _ONE[label](**body)
    elif label in _MANY:
        for row in body:
            _MANY[label](**row)
    elif "/account/activities" in label:
        if not all(_ACTIVITY <= set(row) <= _ACTIVITY | {"previous_execution_id"} for row in body):
            raise ValueError("not the members of an activity")
    elif label == "DELETE /alpaca/v2/orders":
        if any(set(row) != {"id", "status"} for row in body):
            raise ValueError("not id and status")
    else:
        _check_latest(label, body)


def _check_latest(label: str, body: Any) -> None:
    kind = next(name for name in _LATEST if name in label)
    plural = body.get(f"{kind}s")
    found = plural if plural is not None else {body["symbol"]: body[kind]}
    for symbol, row in found.items():
        _LATEST[kind](symbol, row)
