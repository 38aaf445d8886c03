"""How long an order takes to the broker, and a fill to a subscriber."""

import asyncio
import json
import time
import urllib.request
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

from websockets.asyncio.client import connect

from bench.figure import Figure, Goal, Measured, Rounds, Setting, percentile
from bench.figures.parents import BATCH, LOTS, SYMBOLS
from bench.listeners import Listeners, listeners, writing
from bench.servers import Server, reference, slipstream

FILLS = 200
"""A second, asked for."""

ORDERS = 1_000
SLICE_SECONDS = ORDERS / FILLS
WARM_SECONDS = 10
"""Orders that arrive at once cross at once; they are measured when they have spread."""

ALONE = 5
"""Orders a second, where each is timed on its way to the broker."""


async def measure(setting: Setting) -> Measured:
    rounds = Rounds()
    for number in range(setting.rounds):
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            house = await enter(
                slipstream(setting.folder / f"latency{number}", FEED="synthetic-live",
                           SYMBOLS=SYMBOLS, PAPER_LATENCY_MS="0")
            )  # fmt: skip
            echo = await enter(reference(setting.folder, "loop"))
            database = await enter(writing(house))
            rounds.add(**both("echo", await echoes(echo, int(100 * setting.seconds))))
            rounds.add(**both("child", await first_children(setting, house, database)))
            reading = await enter(listeners(house, 1, dated=True))
            rounds.add(**await fills(setting, house, reading))
    return Measured(
        [
            rounds.reading("fill booked → frame, p50", "fill_p50", "ms", Goal("≤", 10)),
            rounds.reading("fill booked → frame, p99", "fill_p99", "ms"),
            rounds.reading("fills meanwhile", "fill_rate", "/s", Goal("≥", 0.9 * FILLS)),
            rounds.reading("accepted → first child at the broker, p50", "child_p50", "ms"),
            rounds.reading("accepted → first child at the broker, p99", "child_p99", "ms"),
            rounds.reading("a bare WebSocket echo, p50", "echo_p50", "ms"),
            rounds.reading("a bare WebSocket echo, p99", "echo_p99", "ms"),
            rounds.ratio("fill → frame p50 over the echo's", "fill_p50", "echo_p50"),
        ],
        (
            f"fills: {ORDERS} TWAP orders that cross, a slice every {SLICE_SECONDS:g} s each,"
            " worked by the real worker at the paper broker in the live made-up market; from the"
            " moment the database wrote the fill's event, before its commit, to the frame at a"
            " subscriber",
            "first child: market orders one by one, between the events order.accepted and"
            " child.sent, which says that the broker has it",
        ),
    )


def both(name: str, values: list[float]) -> dict[str, float]:
    return {
        f"{name}_p50": percentile(values, 0.5) * 1000,
        f"{name}_p99": percentile(values, 0.99) * 1000,
    }


async def echoes(server: Server, count: int) -> list[float]:
    """Round trips of a message as long as a fill's frame."""
    text, seen = "x" * 600, []
    async with connect(f"ws://127.0.0.1:{server.port}/echo", compression=None) as socket:
        for _ in range(count):
            sent = time.perf_counter()
            await socket.send(text)
            await socket.recv()
            seen.append(time.perf_counter() - sent)
    return seen


async def first_children(setting: Setting, house: Server, database: Any) -> list[float]:
    count = max(int(ALONE * setting.seconds), 2)
    for number in range(count):
        order = {"symbol": "ACME", "side": "buy", "qty": "10", "algo": "market"}
        await asyncio.to_thread(call, house, "POST", "/orders", order)
        await asyncio.sleep(1 / ALONE + 0.013 * (number % 7))
    await asyncio.sleep(1)
    rows = await database.fetch(
        "SELECT extract(epoch FROM min(c.recorded_at) - a.recorded_at)::float8 AS seconds"
        " FROM events a JOIN events c ON c.order_id = a.order_id AND c.type = 'child.sent'"
        " WHERE a.type = 'order.accepted' GROUP BY a.order_id, a.recorded_at"
    )
    return [row["seconds"] for row in rows]


async def fills(setting: Setting, house: Server, reading: Listeners) -> dict[str, float]:
    slices = int((setting.seconds + 2 * WARM_SECONDS) / SLICE_SECONDS) + 1
    orders = [
        {
            "symbol": symbol,
            "side": "buy",
            "qty": str(slices * LOTS[symbol]),
            "algo": "twap",
            "duration": f"{round(slices * SLICE_SECONDS)}s",
            "params": {"slices": slices, "placement": "cross"},
        }
        for symbol, _ in zip(cycle(LOTS), range(setting.many(ORDERS)), strict=False)
    ]
    for first in range(0, len(orders), BATCH):
        body = {"orders": orders[first : first + BATCH]}
        await asyncio.to_thread(call, house, "POST", "/orders/batch", body)
    await asyncio.sleep(min(WARM_SECONDS, setting.seconds))
    await reading.ask(0, 0)
    began = time.monotonic()
    booked = (await reading.ask(1_000_000_000, setting.seconds))["booked"]
    took = time.monotonic() - began
    return {**both("fill", booked or [float("inf")]), "fill_rate": len(booked) / took}


def call(house: Server, method: str, path: str, body: dict[str, Any]) -> None:
    """Raises HTTPError for what is not accepted."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.port}{path}",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {house.key}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


FIGURE = Figure("latency", "An order to the broker, a fill to a subscriber", measure)
