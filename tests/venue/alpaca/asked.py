"""What an order asks for, in Alpaca's words, and the words with which it is refused."""

from decimal import Decimal
from typing import Any

from tests.venue.alpaca import said

REFUSALS = {
    "unknown_symbol": (422, 42210000, 'asset "{symbol}" not found'),
    "bad_quantity": (422, 40010001, "qty must be > 0 and a multiple of the lot"),
    "bad_price": (
        422,
        42210000,
        "invalid limit_price {limit_price}. sub-penny increment does not fulfill minimum pricing"
        " criteria",
    ),
    "bad_stop": (422, 42210000, "stop price must be less than current price"),
    "wash_trade": (403, 40310000, "potential wash trade detected. use complex orders"),
    "market_closed": (403, 40310000, "trading in {symbol} is halted"),
    "insufficient_funds": (403, 40310000, "insufficient buying power"),
    "duplicate_id": (422, 40010001, "client_order_id must be unique"),
}


def prices_of(body: Any) -> dict[str, Any]:
    """Limit and stop, wherever they stand. Raises KeyError, TypeError or ValueError."""
    if body.get("order_class", "") not in ("", "simple", "oco"):
        raise ValueError("order_class")
    if body.get("order_class") != "oco":
        alone = body["type"] == "stop_limit"
        stop = {"stop_price": body["stop_price"]} if alone else {}
        return {"limit_price": body.get("limit_price")} | stop
    if said.asset_class(body["symbol"]) == "crypto" or body.get("extended_hours"):
        raise ValueError("not for crypto, nor in extended hours")
    if body["time_in_force"] not in ("day", "gtc") or Decimal(body["qty"]) % 1:
        raise ValueError("whole shares, for the day or until canceled")
    loss = body["stop_loss"]
    return {
        "limit_price": body["take_profit"]["limit_price"],
        "stop_price": loss["stop_price"],
        "stop_limit_price": loss["limit_price"],
    }
