"""What a program does with alpaca-py, from its first call to its last; run with one release of it.

    PYTHONPATH=<the release> python -m tests.compat.tour <url> <key>

Writes what it saw as one line of JSON. Uses only what every release since 0.30.1 has.
"""

import asyncio
import contextlib
import json
import sys
import threading
import time
import warnings
from typing import Any

warnings.simplefilter(
    "ignore"
)  # Old releases stand on what pydantic and websockets have since left.

from alpaca.common.exceptions import APIError  # noqa: E402
from alpaca.data.historical import StockHistoricalDataClient  # noqa: E402
from alpaca.data.requests import StockLatestQuoteRequest  # noqa: E402
from alpaca.trading.client import TradingClient  # noqa: E402
from alpaca.trading.enums import OrderSide, QueryOrderStatus, TimeInForce  # noqa: E402
from alpaca.trading.requests import (  # noqa: E402
    ClosePositionRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
)
from alpaca.trading.stream import TradingStream  # noqa: E402


def order(qty: float, price: float | None = None, name: str | None = None) -> Any:
    fields = {
        "symbol": "ACME",
        "qty": qty,
        "side": OrderSide.BUY,
        "time_in_force": TimeInForce.DAY,
        "client_order_id": name,
    }
    return LimitOrderRequest(**fields, limit_price=price) if price else MarketOrderRequest(**fields)


def until(look: Any, good: Any, seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def seen_by(client: TradingClient, heard: list[Any]) -> dict[str, Any]:
    """Everything once."""
    seen: dict[str, Any] = {"account": client.get_account().account_number}
    clock = client.get_clock()
    seen["clock"] = clock.next_close > clock.timestamp
    seen["days"] = len(client.get_calendar()) > 100
    seen["asset"] = client.get_asset("ACME").tradable
    seen["assets"] = [asset.symbol for asset in client.get_all_assets()]
    filled = client.submit_order(order(40, name="tour-1"))
    until(lambda: client.get_order_by_id(filled.id), lambda o: o.status.value == "filled")
    seen["again"] = client.submit_order(order(40, name="tour-1")).id == filled.id
    seen["named"] = client.get_order_by_client_id("tour-1").id == filled.id
    resting = client.submit_order(order(50, 20))
    replaced = client.replace_order_by_id(resting.id, ReplaceOrderRequest(qty=60))
    seen["replaces"] = replaced.replaces == resting.id
    seen["old"] = client.get_order_by_id(resting.id).status.value
    client.cancel_order_by_id(replaced.id)
    until(lambda: client.get_order_by_id(replaced.id), lambda o: o.status.value == "canceled")
    client.submit_order(order(10, 20))
    seen["canceled"] = [answer.status for answer in client.cancel_orders()]
    until(client.get_orders, lambda found: not found)
    every = GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True, symbols=["ACME"])
    seen["orders"] = sorted(o.status.value for o in client.get_orders(every))
    seen["position"] = client.get_open_position("ACME").qty
    half = client.close_position("ACME", ClosePositionRequest(qty="10"))
    until(lambda: client.get_order_by_id(half.id), lambda o: o.status.value == "filled")
    seen["closed"] = [answer.status for answer in client.close_all_positions(cancel_orders=True)]
    until(client.get_all_positions, lambda held: not held)
    try:
        client.get_open_position("ACME")
    except APIError as error:
        seen["error"] = [error.status_code, error.code]
    until(lambda: [u for u in heard if u.event == "fill"], lambda fills: len(fills) == 3)
    return seen


def main(url: str, key: str) -> None:
    pair = (key.split("_")[1], key)
    heard: list[Any] = []
    stream = TradingStream(*pair, url_override=url.replace("http", "ws", 1) + "/stream")

    async def handle(update: Any) -> None:
        heard.append(update)

    stream.subscribe_trade_updates(handle)
    dispatch, answered = stream._dispatch, threading.Event()

    async def told(message: Any) -> None:
        await dispatch(message)
        if message.get("stream") == "listening":
            answered.set()

    stream._dispatch = told
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    assert answered.wait(30), "nobody heard that it listens"
    seen = seen_by(TradingClient(*pair, url_override=url), heard)
    data = StockHistoricalDataClient(*pair, url_override=url)
    quotes = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="ACME"))
    seen["quoted"] = quotes["ACME"].ask_price > 0
    seen["events"] = [str(getattr(u.event, "value", u.event)) for u in heard]
    seen["held"] = [u.position_qty for u in heard if u.position_qty is not None]
    with contextlib.suppress(Exception):
        asyncio.run_coroutine_threadsafe(stream.stop_ws(), stream._loop).result(1)
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:3])
