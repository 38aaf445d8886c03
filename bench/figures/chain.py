"""What a hop costs: one server is the broker of another, by Alpaca's protocol on loopback."""

import asyncio
import json
import time
import urllib.request
from contextlib import AsyncExitStack
from typing import Any

from bench.figure import Figure, Goal, Measured, Rounds, Setting
from bench.figures.latency import both, call
from bench.listeners import writing
from bench.servers import Server, slipstream

ALONE = 5
"""Orders a second, each timed by itself."""

ORDER = {"symbol": "ACME", "side": "buy", "qty": "1", "algo": "market"}
"""One share: a hundred orders of ten take all that the market shows, and who comes then waits for
it to show more. That was measured as well, in one round of six."""
MARKET = {"FEED": "synthetic-live", "SYMBOLS": "ACME", "PAPER_LATENCY_MS": "0"}
AS_THEY_ARE = {"ROUTE_MARKET_BELOW": "1000000000", "ROUTE_VWAP_PARTICIPATION": "1"}
"""The broker's side sends what it is given; it does not work it in parts."""

_TAKES = {
    "ack": "child.intended child.sent",
    "whole": "order.accepted order.filled",
}


async def measure(setting: Setting) -> Measured:
    rounds = Rounds()
    for number in range(setting.rounds):
        async with AsyncExitStack() as stack:
            enter, folder = stack.enter_async_context, setting.folder
            broker = await enter(slipstream(folder / f"b{number}", **MARKET | AS_THEY_ARE))
            ahead = await enter(
                slipstream(folder / f"a{number}", **MARKET, BROKER="alpaca",
                           ALPACA_URL=f"http://127.0.0.1:{broker.port}/alpaca",
                           ALPACA_KEY_ID=broker.key.split("_")[1], ALPACA_SECRET_KEY=broker.key,
                           ALPACA_REQUESTS_PER_MINUTE="60000")
            )  # fmt: skip
            alone = await enter(slipstream(folder / f"alone{number}", **MARKET))
            plain = await asyncio.to_thread(posts, broker, setting.many(100))
            rounds.add(**both("post", plain))
            # In turn, so that what disturbs the machine disturbs both.
            orders = max(int(ALONE * setting.seconds), 2)
            for turn in range(orders):
                for house in (ahead, alone):
                    await asyncio.to_thread(call, house, "POST", "/orders", ORDER)
                    await asyncio.sleep(0.5 / ALONE + 0.007 * (turn % 7))
            await asyncio.sleep(3)
            theirs = await enter(writing(broker))
            for name, house in (("chain", ahead), ("alone", alone)):
                ours = await enter(writing(house))
                for take, events in _TAKES.items():
                    rounds.add(**both(f"{name}_{take}", await between(ours, *events.split())))
                if house is ahead:
                    rounds.add(**both("back", await fills_back(theirs, ours)))
    return Measured(
        [
            rounds.reading("child intended → acknowledged, p50", "chain_ack_p50", "ms"),
            rounds.reading("child intended → acknowledged, p99", "chain_ack_p99", "ms"),
            rounds.reading("a plain POST /alpaca/v2/orders, p50", "post_p50", "ms"),
            rounds.reading("a plain POST /alpaca/v2/orders, p99", "post_p99", "ms"),
            rounds.ratio("acknowledgement over the plain POST, p50", "chain_ack_p50", "post_p50",
                         Goal("≤", 2)),
            rounds.reading("fill booked there → booked here, p50", "back_p50", "ms"),
            rounds.reading("fill booked there → booked here, p99", "back_p99", "ms"),
            rounds.reading("order accepted → filled, p50", "chain_whole_p50", "ms"),
            rounds.reading("order accepted → filled, p99", "chain_whole_p99", "ms"),
            rounds.reading("the same at its own paper broker, p50", "alone_whole_p50", "ms"),
            rounds.ratio("over the hop, over its own broker, p50", "chain_whole_p50",
                         "alone_whole_p50"),
        ],
        (
            "market orders of one share, one by one, by turns at a server whose broker is another"
            " one (/alpaca, paper) and at one with its own paper broker; times are those that each"
            " database wrote, on one machine's clock",
        ),
    )  # fmt: skip


def posts(server: Server, count: int) -> list[float]:
    """Seconds from request to answer of single orders, without another server between."""
    seen = []
    for number in range(count):
        order = {"symbol": "ACME", "side": "buy", "qty": "1", "type": "market",
                 "time_in_force": "day", "client_order_id": f"plain-{number}"}  # fmt: skip
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/alpaca/v2/orders",
            json.dumps(order).encode(),
            {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"},
        )
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        seen.append(time.perf_counter() - began)
        time.sleep(0.01)
    return seen


async def between(database: Any, first: str, then: str) -> list[float]:
    """Seconds between the first of two kinds of events of each order."""
    rows = await database.fetch(
        "SELECT extract(epoch FROM min(recorded_at) FILTER (WHERE type = $2)"
        " - min(recorded_at) FILTER (WHERE type = $1))::float8 AS seconds"
        " FROM events WHERE order_id IS NOT NULL GROUP BY order_id",
        first,
        then,
    )
    return [row["seconds"] for row in rows if row["seconds"] is not None]


async def fills_back(theirs: Any, ours: Any) -> list[float]:
    """Seconds between the last fill of an order at the broker and its booking as a child's."""
    last = (
        "SELECT {} AS name, extract(epoch FROM max(e.recorded_at))::float8 AS at FROM events e"
        " JOIN orders o ON o.id = e.order_id WHERE e.type = 'fill.booked' GROUP BY 1"
    )
    there = {row["name"]: row["at"] for row in await theirs.fetch(last.format("o.client_order_id"))}
    here = await ours.fetch(last.format("e.data->>'child_id'"))
    return [row["at"] - there[row["name"]] for row in here]


FIGURE = Figure("chain", "A hop: one server as the broker of another", measure)
