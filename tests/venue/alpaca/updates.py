"""Alpaca's trade updates: a WebSocket that is silent until the keys come, and replays nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.venue.alpaca import said
from tests.venue.alpaca.face import authorized
from tests.venue.exchange import Exchange
from tests.venue.wire import Call, Cut

AUTH_SECONDS = 10.0


class Socket:
    """One WebSocket on a connection whose first request was read already."""

    def __init__(
        self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._protocol = ServerProtocol()
        self._reader, self._writer = reader, writer
        self._protocol.receive_data(call.head)
        (request,) = self._protocol.events_received()
        assert isinstance(request, Request)
        self._protocol.send_response(self._protocol.accept(request))
        self._flush()

    async def messages(self) -> AsyncIterator[Any]:
        """What the client says, as JSON; pings are answered on the way. Ends with the line."""
        while data := await self._reader.read(65_536):
            self._protocol.receive_data(data)
            self._flush()
            for frame in self._protocol.events_received():
                assert isinstance(frame, Frame)
                if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                    yield json.loads(bytes(frame.data))
                elif frame.opcode is Opcode.CLOSE:
                    return

    def send(self, message: Any) -> None:
        self._protocol.send_binary(json.dumps(message).encode())
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)


class TradeUpdates:
    """Serves every account's stream."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._numbers = count()

    async def serve(
        self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match call.path:
            case "alpaca", account, "stream" if account in self._exchange.behaviours:
                await self._serve(account, Socket(call, reader, writer))

    async def _serve(self, account: str, socket: Socket) -> None:
        messages = socket.messages()
        async with asyncio.timeout(AUTH_SECONDS):
            if not await self._authenticated(account, socket, messages):
                return
        telling: asyncio.Task[None] | None = None
        listening = asyncio.create_task(_next(messages))
        try:
            while True:
                waiting: set[asyncio.Task[Any]] = {listening, *([telling] if telling else [])}
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if telling in done:
                    assert telling is not None
                    telling.result()
                    return
                said_now = listening.result()
                if said_now is None:
                    return
                if said_now.get("action") == "listen":
                    streams = said_now["data"]["streams"]
                    head = self._exchange.teller.head(account)
                    socket.send({"stream": "listening", "data": {"streams": streams}})
                    telling = telling or asyncio.create_task(self._tell(account, socket, head))
                listening = asyncio.create_task(_next(messages))
        finally:
            for task in (listening, telling):
                if task is not None:
                    task.cancel()
            await asyncio.gather(
                *(task for task in (listening, telling) if task), return_exceptions=True
            )

    @staticmethod
    async def _authenticated(account: str, socket: Socket, messages: AsyncIterator[Any]) -> bool:
        first = await _next(messages)
        if first is None:
            return False
        keys = first.get("data", first)
        fits = authorized(
            account,
            keys.get("key_id") or keys.get("key", ""),
            keys.get("secret_key") or keys.get("secret", ""),
        )
        status = "authorized" if fits else "unauthorized"
        socket.send(
            {"stream": "authorization", "data": {"status": status, "action": "authenticate"}}
        )
        return fits

    async def _tell(self, account: str, socket: Socket, place: int) -> None:
        """From this place on. Raises Cut when the fault is drawn: what was due is never told."""
        teller, ledger = self._exchange.teller, self._exchange.ledger
        while True:
            bell = teller.bell(account)
            reports = teller.after(account, place)
            if reports:
                subject = f"updates#{next(self._numbers)}"
                behaviour = self._exchange.behaviours[account]
                with ledger.transaction():
                    cut = self._exchange.chance.fault(account, behaviour, "stream_cut", subject)
                if cut:
                    raise Cut
            for report in reports:
                socket.send(said.update(ledger, account, report))
                place = report["seq"]
            if not reports:
                await bell.wait()


async def _next(messages: AsyncIterator[Any]) -> Any:
    """The next message; None when there are no more."""
    return await anext(messages, None)
