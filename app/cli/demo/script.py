"""What the demo does: four orders and a signal, worked at high speed."""

import time
from dataclasses import dataclass

from app.cli.board import Board
from app.cli.client import Client
from app.cli.exits import Failure
from app.cli.follow import Answer, follow_entered
from app.cli.screen import screen

SETTINGS = {
    "FEED": "synthetic",
    "FEED_SEED": "7",
    "SPEED": "360",
    "HOLD": "true",
    "SYMBOLS": "ACME,GLOBEX,INITECH,COINX",
    "ALERT_SLIPPAGE_BPS": "2",
}
"""Market time starts at a Monday's open and stands still until all orders are in."""

SIGNAL = {
    "source": "demo",
    "id": "breakout-1",
    "action": "BUY",
    "market": "COINX",
    "size": "1.5",
    "price": "60000",
    "confidence": "0.8",
    "strategy": "breakout",
}


PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Entered:
    """The orders as they were accepted, the decision on the signal, and a cursor from before."""

    orders: list[Answer]
    signal: Answer
    before: str

    @property
    def order_ids(self) -> list[str]:
        return [order["id"] for order in self.orders]


def enter(client: Client) -> Entered:
    """Four orders and one signal, which becomes a fifth."""
    before = client.get("/status")["cursor"]
    bodies: list[Answer] = [
        {
            "symbol": "ACME",
            "side": "buy",
            "qty": "6000",
            "algo": "twap",
            "duration": "30m",
            "params": {"slices": 10, "seed": "demo"},
        },
        {
            "symbol": "GLOBEX",
            "side": "sell",
            "qty": "30000",
            "algo": "vwap",
            "duration": "60m",
            "params": {"seed": "demo"},
        },
        {
            "symbol": "INITECH",
            "side": "buy",
            "qty": "500",
            "algo": "limit",
            "limit_price": _bid(client, "INITECH"),
        },
        {"symbol": "ACME", "side": "sell", "qty": "2500", "algo": "market"},
    ]
    orders = [_taken(client, "/orders", body) for body in bodies]
    signal = _taken(client, "/signals", SIGNAL)
    orders.append(client.get(f"/orders/{signal['order_id']}"))
    return Entered(orders, signal, before)


def _bid(client: Client, symbol: str) -> str:
    """The best bid now, from a preview: it shows the quote it is measured against."""
    asked = {"symbol": symbol, "side": "buy", "qty": "100", "algo": "market"}
    shown = _taken(client, "/orders/preview", asked)
    bid: str = shown["cost"]["arrival"]["bid"]
    return bid


def _taken(client: Client, path: str, body: Answer) -> Answer:
    """The answer; on a machine with much to do, a worker that has just begun may have told no
    market time for too long: then it is asked again, for a while."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer: Answer = client.post(path, body)
            return answer
        except Failure as failure:
            if "(no_market_time)" not in str(failure) or time.monotonic() > until:
                raise
            time.sleep(0.5)


def work(client: Client, entered: Entered) -> Board:
    """Let market time go, and show the orders until all have ended."""
    return follow_entered(
        client,
        entered.orders,
        entered.before,
        screen(as_json=False, fills=False),
        begun=lambda: client.put("/clock", {"held": False}),
    )
