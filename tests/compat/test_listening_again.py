"""A client that listens again while it is told: it misses nothing."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import connect

from tests.compat.conftest import House
from tests.compat.test_orders import limit

LISTEN = json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}})


async def test_who_listens_again_misses_nothing(house: House) -> None:
    """alpaca-py does, when a handler is added to a stream that runs."""
    heard: list[Any] = []
    async with connect(house.stream_url) as socket:
        keys = {"key_id": house.key_id, "secret_key": house.key}
        await socket.send(json.dumps({"action": "authenticate", "data": keys}))
        await socket.send(LISTEN)

        async def hear() -> None:
            async for message in socket:
                heard.append(json.loads(message))

        async def ask_again() -> None:
            while True:
                await socket.send(LISTEN)
                await asyncio.sleep(0.002)

        hearing = asyncio.create_task(hear())
        while not any(m["stream"] == "listening" for m in heard):
            await asyncio.sleep(0.01)
        asking = asyncio.create_task(ask_again())
        entered = await asyncio.gather(
            *(house.call(house.trading.submit_order, limit(50 + n / 100)) for n in range(12))
        )
        await asyncio.sleep(0.5)
        asking.cancel()
        hearing.cancel()
        await asyncio.gather(asking, hearing, return_exceptions=True)
    updates = [m["data"] for m in heard if m["stream"] == "trade_updates"]
    new = [u["order"]["id"] for u in updates if u["event"] == "pending_new"]
    assert sorted(new) == sorted(str(order.id) for order in entered)
    assert sum(m["stream"] == "listening" for m in heard) > 5
