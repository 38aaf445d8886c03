"""The live line: it tells trades and quotes as they happen, and is drawn anew when it breaks."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app.feeds.alpaca.options import Options
from app.feeds.alpaca.reading import Record, parsed
from app.ports import FeedError

log = structlog.get_logger()

CHANNELS = ("trades", "quotes")
PING_SECONDS = 10.0
LARGEST = 1 << 24


class Lost(Exception):
    """The line is of no use any more; the message says why."""


class Stream:
    """One connection at a time. `hear` gets every record; `listed` is called when symbols begin to
    be carried, and again after each reconnect."""

    def __init__(
        self,
        options: Options,
        hear: Callable[[Record], None],
        listed: Callable[[frozenset[str]], None],
    ) -> None:
        self._options = options
        self._hear, self._listed = hear, listed
        self._wanted: dict[str, None] = {}
        self._asked: set[str] = set()
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Condition()
        self.carried: frozenset[str] = frozenset()
        """The symbols that the line tells everything of."""
        self._failures = 0
        self.connections = 0
        """How many there were, with the present one."""

    async def want(self, symbol: str, seconds: float) -> bool:
        """Have a symbol carried; whether it is, within `seconds`."""
        self._wanted[symbol] = None
        with suppress(WebSocketException):
            await self._ask_for()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: symbol in self.carried)
        return symbol in self.carried

    def drop(self, why: str) -> None:
        """Give the connection up: what it says cannot be trusted."""
        log.warning("market data line given up", why=why)
        self._carry(())
        if self._socket is not None:
            self._socket.transport.abort()

    async def run(self) -> None:
        """Keep a connection until canceled."""
        while True:
            try:
                async with self._connection() as socket:
                    await self._shake_hands(socket)
                    self._socket = socket
                    self.connections += 1
                    log.info("market data line drawn", source=self._options.source.value)
                    await self._ask_for()
                    await self._listen(socket)
            except (OSError, TimeoutError, WebSocketException, Lost, FeedError) as error:
                log.warning("market data line lost", error=f"{type(error).__name__}: {error}")
            finally:
                self._socket = None
                self._asked.clear()
                self._carry(())
            wait = min(self._options.backoff_ms << self._failures, self._options.backoff_most_ms)
            self._failures = min(self._failures + 1, 16)
            await asyncio.sleep(wait / 1_000)

    def _connection(self) -> connect:
        return connect(
            f"{self._options.stream_url}/v2/{self._options.source.value}",
            open_timeout=self._options.handshake_ms / 1_000,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1,
            compression=None,
            max_size=LARGEST,
            proxy=None,
        )

    async def _shake_hands(self, socket: ClientConnection) -> None:
        async with asyncio.timeout(self._options.handshake_ms / 1_000):
            await _expect(socket, "connected")
            key_id, secret = self._options.key_id, self._options.secret_key
            await socket.send(json.dumps({"action": "auth", "key": key_id, "secret": secret}))
            await _expect(socket, "authenticated")

    async def _ask_for(self) -> None:
        """Subscribe to what is wanted and was not asked for on this connection."""
        socket = self._socket
        symbols = [symbol for symbol in self._wanted if symbol not in self._asked]
        if socket is None or not symbols:
            return
        self._asked.update(symbols)
        # One by one: where a plan allows no more, those before are carried.
        for symbol in symbols:
            wish = {"action": "subscribe", **{channel: [symbol] for channel in CHANNELS}}
            await socket.send(json.dumps(wish))

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            for record in _records(message):
                match record.get("T"):
                    case "subscription":
                        await self._subscribed(record)
                    case "error":
                        self._refused(record)
                    case _:
                        self._hear(record)
        raise Lost("closed by the other side")

    async def _subscribed(self, record: Record) -> None:
        listed = [set(record.get(channel) or ()) for channel in CHANNELS]
        before, self._failures = self.carried, 0
        self._carry(listed[0] & listed[1])
        async with self._changed:
            self._changed.notify_all()
        if fresh := self.carried - before:
            self._listed(fresh)

    def _refused(self, record: Record) -> None:
        """An error about a wish leaves what is carried as it is."""
        code, why = record.get("code"), record.get("msg")
        if code in (405, 409, 410):
            log.error("market data not carried, asked for instead", code=code, why=str(why))
            return
        raise Lost(f"error {code}: {why}")

    def _carry(self, symbols: Iterable[str]) -> None:
        self.carried = frozenset(symbols)


async def _expect(socket: ClientConnection, message: str) -> None:
    for record in _records(await socket.recv()):
        if record.get("T") == "error":
            raise Lost(f"refused: error {record.get('code')}: {record.get('msg')}")
        if record.get("T") == "success" and record.get("msg") == message:
            return
    raise Lost(f"the line did not say {message!r}")


def _records(message: str | bytes) -> Sequence[Record]:
    said: Any = parsed(message)
    records = said if isinstance(said, list) else [said]
    if not all(isinstance(record, dict) for record in records):
        raise FeedError("Alpaca's stream said what is no table")
    return records
