"""Trade updates: a socket that replays nothing, so that every time it was away has to be asked for.

It tells when it is up, and from when on something may be missing; `recover` closes that gap.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app.brokers.alpaca.breaker import Breaker
from app.brokers.alpaca.options import Options
from app.domain.instant import SECOND, Instant

log = structlog.get_logger()

RETRY_SECONDS = (0.5, 30.0)
"""The first pause after a failure, and the longest: Alpaca bans who connects too often."""

LASTED_SECONDS = 10.0
"""A connection that lived this long was a good one: the next pause is the first again."""

PING_SECONDS = 10.0
"""A socket that does not answer within this time, asked this often, is dead."""

FRAME_BYTES_MAX = 4 * 1024 * 1024

OVERLAP = 60 * SECOND
"""How far before the gap is asked: what happened then may have come to light within it."""

Hear = Callable[[Any], None]
Recover = Callable[[Instant], Awaitable[None]]


class Stream:
    """A background task that hears updates, and closes gaps with `recover`, which raises
    ConnectionError as long as it cannot."""

    def __init__(self, options: Options, hear: Hear, recover: Recover) -> None:
        self._options, self._hear, self._recover = options, hear, recover
        self.breaker = Breaker("updates")
        self.away: str | None = "not connected yet"
        self._up = False
        self._gap_from = _now()
        self._gaps = self._closed = 0
        self._tried = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._recovering: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, in the running loop; once."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    async def settled(self, seconds: float) -> None:
        """Wait until the first connection is up, its gap closed, or has failed: an order that goes
        out before has its news asked for, not told."""
        if not self._tried.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._tried.wait(), seconds)

    async def close(self) -> None:
        tasks = [task for task in (self._listening, self._recovering) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def doubt(self) -> None:
        """Something may be missing, or cannot be read: it has to be asked for."""
        self._gaps += 1
        if self._recovering is None or self._recovering.done():
            self._recovering = asyncio.create_task(self._close_gap())

    async def _listen(self) -> None:
        pause, longest = RETRY_SECONDS
        while True:
            begun = time.monotonic()
            try:
                await self._converse()
                why = "the socket was closed"
            except (OSError, TimeoutError, WebSocketException, ValueError) as lost:
                why = f"{type(lost).__name__}: {lost}"[:200]
            if self.away is None:
                log.warning("trade updates are down", error=why)
            self._up, self.away = False, why
            self._tried.set()
            self.breaker.failed(why)
            if time.monotonic() - begun > LASTED_SECONDS:
                pause = RETRY_SECONDS[0]
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(2 * pause, longest)

    async def _converse(self) -> None:
        """One connection from its beginning to its end."""
        async with connect(
            self._options.stream_url,
            proxy=None,
            compression=None,
            open_timeout=10,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1,
            max_size=FRAME_BYTES_MAX,
            logger=_quiet(),
        ) as socket:
            async with asyncio.timeout(PING_SECONDS):
                await self._introduce(socket)
            self.breaker.succeeded()
            self._up = True
            self.doubt()
            async for message in socket:
                self._take(json.loads(message))
                if self.away is None:
                    self._gap_from = _now()

    async def _introduce(self, socket: ClientConnection) -> None:
        """The keys, and what to tell. Raises ValueError when they are not accepted."""
        keys = {
            "key": self._options.key_id,
            "secret": self._options.secret_key.get_secret_value(),
        }
        await socket.send(json.dumps({"action": "auth"} | keys))
        await self._answer(socket, "authorization", "status", "authorized")
        listen = {"action": "listen", "data": {"streams": ["trade_updates"]}}
        await socket.send(json.dumps(listen))
        await self._answer(socket, "listening", "streams", ["trade_updates"])

    @staticmethod
    async def _answer(socket: ClientConnection, stream: str, name: str, wanted: Any) -> None:
        while True:
            said = json.loads(await socket.recv())
            if isinstance(said, dict) and said.get("stream") == stream:
                break
        data = said.get("data")
        if not isinstance(data, dict) or data.get(name) != wanted:
            raise ValueError(f"{stream} was not granted")

    def _take(self, said: Any) -> None:
        if not isinstance(said, dict):
            raise ValueError("a message that is no object")
        if said.get("stream") == "trade_updates":
            self._hear(said.get("data"))
        elif said.get("action") == "error":
            raise ValueError(f"told an error: {str(said.get('data'))[:100]}")

    async def _close_gap(self) -> None:
        pause, longest = RETRY_SECONDS
        while self._closed < self._gaps:
            gaps, begun = self._gaps, _now()
            try:
                await self._recover(self._gap_from - OVERLAP)
            except ConnectionError as error:
                log.warning("gap in trade updates is still open", error=str(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, longest)
                continue
            self._closed, self._gap_from = gaps, begun
        if self._up and self.away is not None:
            log.info("trade updates are up")
            self.away = None
            self._tried.set()


def _quiet() -> logging.Logger:
    """A log of frames would hold the keys."""
    quiet = logging.getLogger("app.brokers.alpaca.socket")
    quiet.setLevel(logging.WARNING)
    return quiet


def _now() -> Instant:
    return time.time_ns() // 1_000
