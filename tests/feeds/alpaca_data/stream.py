"""The stream: greets, wants a log-in, carries symbols, and misbehaves when told to."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from app.domain.instant import Instant
from tests.feeds.alpaca_data.faults import Faults
from tests.feeds.alpaca_data.market import STOCKS, Market, Record, now
from tests.feeds.alpaca_data.rest import KEY, SECRET

PUMP_SECONDS = 0.02
HELD_BACK_SECONDS = 0.3


class Stream:
    """All connections. `seen` counts those that logged in, `sent` the trades told by id."""

    def __init__(self, market: Market, faults: Faults) -> None:
        self.market, self.faults = market, faults
        self.seen = 0
        self.sent: set[int] = set()
        self._connections: dict[ServerConnection, tuple[str, list[str]]] = {}
        self._told_to: Instant = now()
        self._late: list[tuple[float, Record]] = []

    async def start(self) -> Server:
        return await serve(self._serve, "127.0.0.1", 0, compression=None)

    def cut(self) -> None:
        """Break every connection, without a word."""
        for socket in list(self._connections):
            socket.transport.abort()

    async def tell(self, record: Record) -> None:
        """Say something to everybody who has the symbol."""
        await self._send([record], lambda source: True)

    async def pump(self) -> None:
        """Tell what happens in the market, for ever."""
        while True:
            await asyncio.sleep(PUMP_SECONDS)
            start, self._told_to = self._told_to, await self.market.advance()
            held = [r for at, r in self._late if at <= asyncio.get_running_loop().time()]
            self._late = [(at, r) for at, r in self._late if r not in held]
            for symbol in STOCKS:
                for source in ("iex", "sip"):
                    rows = self._rows(symbol, start, self._told_to, source)
                    if not self.faults.mute:
                        await self._send(rows, lambda s, source=source: s == source)
            if held and not self.faults.mute:
                await self._send(held, lambda s: True)

    def _rows(self, symbol: str, start: Instant, end: Instant, source: str) -> list[Record]:
        trades = [{"T": "t", **row} for row in self.market.trades(symbol, start, end, source)]
        if self.faults.late and source == "sip":
            due = asyncio.get_running_loop().time() + HELD_BACK_SECONDS
            late = [row for row in trades if row["i"] // 8 % self.faults.late == 0]
            trades = [row for row in trades if row not in late]
            self._late += [(due, row) for row in late]
        return trades + [{"T": "q", **row} for row in self.market.quotes(symbol, start, end)]

    async def _send(self, rows: list[Record], wanted: Any) -> None:
        for socket, (source, symbols) in list(self._connections.items()):
            mine = [row for row in rows if row["S"] in symbols] if wanted(source) else []
            if mine:
                self.sent.update(row["i"] for row in mine if row["T"] == "t")
                with suppress(ConnectionClosed):
                    await socket.send(json.dumps(mine))

    async def _serve(self, socket: ServerConnection) -> None:
        if self.faults.closed:
            socket.transport.abort()
            return
        if not self.faults.silent_greeting:
            await socket.send(json.dumps([{"T": "success", "msg": "connected"}]))
        try:
            if await self._logged_in(socket):
                await self._talk(socket)
        except ConnectionClosed:
            pass
        finally:
            self._connections.pop(socket, None)

    async def _logged_in(self, socket: ServerConnection) -> bool:
        said = json.loads(await socket.recv())
        refused = None
        if self.faults.taken:
            refused = {"T": "error", "code": 406, "msg": "connection limit exceeded"}
        elif self.faults.refused_auth or (said["key"], said["secret"]) != (KEY, SECRET):
            refused = {"T": "error", "code": 402, "msg": "auth failed"}
        await socket.send(json.dumps([refused or {"T": "success", "msg": "authenticated"}]))
        return refused is None

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        source = socket.request.path.rsplit("/", 1)[-1]
        symbols: list[str] = []
        self._connections[socket] = (source, symbols)
        self.seen += 1
        async for message in socket:
            wish = json.loads(message)
            assert wish["action"] == "subscribe", wish
            assert wish["trades"] == wish["quotes"], wish
            fresh = [s for s in wish["trades"] if s not in symbols]
            if len(symbols) + len(fresh) > self.faults.channels:
                error = {"T": "error", "code": 405, "msg": "symbol limit exceeded"}
                await socket.send(json.dumps([error]))
                continue
            symbols += fresh
            listed = {"trades": symbols, "quotes": symbols, "corrections": symbols}
            await socket.send(json.dumps([{"T": "subscription", **listed}]))
