"""A subscriber that resumes with its cursor at whichever API lives, and writes down what it saw."""

import asyncio
import json
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from app.store.event_log import CHANNELS
from tests.chaos.house import House

Frame = dict[str, Any]
Place = tuple[int, int]
"""Transaction and id: the order of the log."""

OVER = ("filled", "canceled", "expired", "rejected", "needs_operator")


def place_of(cursor: str) -> Place:
    _, xid, number = map(int, cursor.split("-"))
    return xid, number


class Subscriber:
    """`seen` has every frame's place, `orders` the latest sums of every order."""

    def __init__(self, house: House) -> None:
        self.seen: list[Place] = []
        self.disorder: list[str] = []
        """Frames that came twice or too late."""
        self.over_reserved: list[str] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, int] = defaultdict(int)
        self.resumed = 0
        self._house = house
        self._cursor = "start"
        self._waiting: dict[str, list[asyncio.Future[Frame]]] = defaultdict(list)

    @property
    def open_orders(self) -> int:
        return sum(order["status"] not in OVER for order in self.orders.values())

    async def run(self) -> None:
        """Until canceled."""
        while True:
            for url in self._house.apis():
                with suppress(OSError, TimeoutError, WebSocketException):
                    await self._follow(url)
            await asyncio.sleep(0.02)

    async def next(self, kind: str) -> Frame:
        """The next frame of a kind."""
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[kind].append(future)
        try:
            return await future
        finally:
            with suppress(ValueError):
                self._waiting[kind].remove(future)

    async def _follow(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {self._house.key}"}
        async with connect(
            url.replace("http", "ws", 1) + "/stream",
            additional_headers=headers,
            open_timeout=1,
            close_timeout=0.2,
            proxy=None,
        ) as socket:
            wish = {"action": "subscribe", "channels": CHANNELS, "after": self._cursor}
            await socket.send(json.dumps(wish))
            self.resumed += 1
            while True:
                # Heartbeats come every five seconds: who is silent for longer is frozen.
                async with asyncio.timeout(6):
                    frame = json.loads(await socket.recv())
                if frame["type"] not in ("heartbeat", "subscribed"):
                    self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame["type"] in ("gap", "error"):
            self.disorder.append(json.dumps(frame))
            return
        place = place_of(frame["cursor"])
        if self.seen and place <= self.seen[-1]:
            self.disorder.append(f"{frame['cursor']} after {self._cursor}")
        self.seen.append(place)
        self._cursor = frame["cursor"]
        self.kinds[frame["type"]] += 1
        if (order := frame["data"].get("order")) is not None and frame["seq"] is not None:
            self._note(frame, order)
        for future in self._waiting.pop(frame["type"], ()):
            if not future.done():
                future.set_result(frame)

    def _note(self, frame: Frame, order: dict[str, Any]) -> None:
        known = self.orders.setdefault(frame["order_id"], {"account": frame["account"]})
        known |= order
        held = sum(Decimal(order[name]) for name in ("filled", "working", "unknown"))
        if held > Decimal(order["qty"]) + Decimal(order["excess"]):
            self.over_reserved.append(f"{frame['cursor']} {frame['order_id']} {order}")
