"""A subscriber that comes back with its last cursor whenever the line breaks."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.failpoints.house import PATIENCE, House


class Ears:
    """What was heard: cursors in the order they came, and sequence numbers by order."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._after = "start"
        self._heard: dict[str, list[int]] = {}
        self._ready = asyncio.Event()

    async def __aenter__(self) -> "Ears":
        self._task = asyncio.create_task(self._listen())
        await asyncio.wait_for(self._ready.wait(), PATIENCE)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until_heard(self, order_id: str, last: int) -> None:
        """Every event of the order once, in order; more than once would be a fault of ours too."""
        deadline = time.monotonic() + PATIENCE
        while self._heard.get(order_id, [])[-1:] != [last] and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert self._heard.get(order_id) == list(range(1, last + 1))

    async def _listen(self) -> None:
        url = str(self._house.client.base_url).replace("http", "ws", 1).rstrip("/") + "/stream"
        headers = {"Authorization": f"Bearer {self._house.key}"}
        while True:
            with suppress(OSError, WebSocketException):
                async with connect(url, additional_headers=headers, proxy=None) as socket:
                    asked: dict[str, Any] = {
                        "action": "subscribe",
                        "channels": ["orders", "children", "fills"],
                        "after": self._after,
                    }
                    await socket.send(json.dumps(asked))
                    async for text in socket:
                        self._hear(json.loads(text))
            await asyncio.sleep(0.02)

    def _hear(self, frame: dict[str, Any]) -> None:
        self._ready.set()
        if frame.get("cursor"):
            self._after = frame["cursor"]
        if frame.get("seq"):
            self._heard.setdefault(frame["order_id"], []).append(frame["seq"])
