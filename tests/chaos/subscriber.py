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
from tests.chaos.scene import Scene

Frame = dict[str, Any]
Place = tuple[int, int]
"""Transaction and id: the order of the log."""

OVER = ("filled", "canceled", "expired", "rejected", "needs_operator")


def place_of(cursor: str) -> Place:
    _, xid, number = map(int, cursor.split("-"))
    return xid, number


class Subscriber:
    """`seen` has every frame's place, `orders` the latest sums of every order."""

    def __init__(self, house: Scene) -> None:
        self.seen: list[Place] = []
        self.disorder: list[str] = []
        """Frames that came twice or too late."""
        self.over_reserved: list[str] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, int] = defaultdict(int)
        self.resumed = 0
        self._house = house
        self._cursor = "start"
        self._waiting: list[tuple[frozenset[str], asyncio.Future[Frame]]] = []

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

    async def next(self, kinds: frozenset[str]) -> Frame:
        """The next frame of one of these kinds."""
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting.append((kinds, future))
        return await future

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
        for kinds, future in self._waiting:
            if frame["type"] in kinds and not future.done():
                future.set_result(frame)
        self._waiting = [waiting for waiting in self._waiting if not waiting[1].done()]

    def _note(self, frame: Frame, order: dict[str, Any]) -> None:
        known = self.orders.setdefault(frame["order_id"], {"account": frame["account"]})
        known |= order
        held = sum(Decimal(order[name]) for name in ("filled", "working", "unknown"))
        if held > Decimal(order["qty"]) + Decimal(order["excess"]):
            self.over_reserved.append(f"{frame['cursor']} {frame['order_id']} {order}")
