"""WS /alpaca/stream: trade updates, as Alpaca's TradingStream expects them.

The server is silent until the client has shown its key: a greeting would end the client's
handshake. There is no cursor: a client that connects again is told the last seconds once more
where settings say so; what is told twice has the same execution id.
"""

import asyncio
import json
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from app.api.alpaca.access import names
from app.api.alpaca.surface import Surface
from app.api.alpaca.updates import CHANNELS, STREAM, Telling
from app.api.auth import Visit, caller_of, known_key
from app.api.bodies import json_object
from app.api.errors import Problem
from app.api.frames import Blocked, binary_frame, prepared, text_frame
from app.api.streams import Streams
from app.domain.refusal import Refusal
from app.engine.access import Key
from app.engine.service import Service
from app.engine.subscription import Cursor, FellBehind, Gap, Wish

log = structlog.get_logger()
router = APIRouter()

SCOPE = "read"
_FRAME_MAX = 64 * 1024


@router.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    state = socket.app.state
    await Session(socket, state.service, state.streams, state.surface, state.telling).run()


class Ending(Exception):
    """Why a session ends. `code` None: the client is gone."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True, slots=True)
class Shown:
    """The key pair of an authentication, and the word it came with."""

    key_id: str
    secret: str
    action: str


class Session:
    """One client, from its handshake to the close."""

    def __init__(
        self,
        socket: WebSocket,
        service: Service,
        streams: Streams,
        surface: Surface,
        telling: Telling,
    ) -> None:
        self._socket = socket
        self._service = service
        self._streams = streams
        self._pace = streams.pace
        self._surface = surface
        self._frame = binary_frame if surface.binary else text_frame
        self._messages = telling.messages
        self._telling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        await self._socket.accept()
        ending = Ending(1011, "something went wrong on our side")
        try:
            text, account = await self._enter()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(text))
                group.create_task(self._listen(group, account))
        except Ending as ended:
            ending = ended
        except ExceptionGroup as failures:
            endings, others = failures.split(Ending)
            if others is not None:
                log.error("stream failed", exc_info=others)
            elif endings is not None:
                ending = _first(endings)
        if ending.code is not None:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(self._pace.goodbye):
                    await self._socket.close(ending.code, ending.reason)

    async def _enter(self) -> tuple[str, str]:
        """The key's text and the account it trades in. Nothing is said before the key is known."""
        shown = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.auth):
                while shown is None:
                    shown = _shown(await self._heard())
        if shown is None:
            raise Ending(4401, "the first message must authenticate")
        streams = self._streams
        key = await known_key(streams.keyring, streams.rates, shown.secret, self._socket)
        if key is None or not names(shown.key_id, key) or not key.may(SCOPE):
            await self._authorization("unauthorized", shown.action)
            raise Ending(4401, "not authorized")
        account = self._account(key)
        if account is None:
            await self._authorization("unauthorized", shown.action)
            raise Ending(4403, "this key reaches more than one account, and not the default one")
        await self._authorization("authorized", shown.action)
        return shown.secret, account

    def _account(self, key: Key) -> str | None:
        try:
            return Visit(self._service, caller_of(key), key).account(None)
        except Refusal:
            return None

    async def _authorization(self, status: str, action: str) -> None:
        await self._send({"stream": "authorization", "data": {"status": status, "action": action}})

    async def _watch(self, text: str) -> None:
        """Ends the session with its key, or with the server."""
        closing = asyncio.create_task(self._streams.closing.wait())
        try:
            while True:
                await asyncio.wait({closing}, timeout=self._pace.look)
                if closing.done():
                    raise Ending(1012, "the server restarts")
                if not await self._streams.still_living(text, SCOPE):
                    raise Ending(4401, "the key has ended")
        finally:
            closing.cancel()

    async def _listen(self, group: asyncio.TaskGroup, account: str) -> None:
        while True:
            message = await self._heard()
            if message.get("action") == "listen":
                await self._obey(group, account, message)

    async def _obey(self, group: asyncio.TaskGroup, account: str, message: dict[str, Any]) -> None:
        """The list is absolute: what is not in it is not told any more."""
        data = message.get("data")
        asked = data.get("streams") if isinstance(data, dict) else None
        streams = [STREAM] if isinstance(asked, list) and STREAM in asked else []
        listening = {"stream": "listening", "data": {"streams": streams}}
        if streams and self._telling is not None:
            # Begun anew, it would miss what waits to be told.
            await self._send(listening)
            return
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})
            self._telling = None
        back = self._surface.replay_seconds
        hub = self._service.hub
        # From this moment on, not from when the answer has left.
        after = await (hub.back(back) if back else hub.now())
        await self._send(listening)
        if streams:
            self._telling = group.create_task(self._tell(account, after))

    async def _tell(self, account: str, after: Cursor) -> None:
        wish = Wish(CHANNELS, frozenset({account}))
        try:
            async with aclosing(self._service.hub.follow(after, wish)) as following:
                async for events in following:
                    for event in events:
                        for message in await self._messages(account, event):
                            await self._send_text(message)
        except Gap as gap:
            await self._tell(account, gap.oldest)
        except FellBehind:
            raise Ending(1013, "too slow") from None

    async def _heard(self) -> dict[str, Any]:
        """The next message; what is none is passed over. Raises Ending when the client goes."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise Ending(None)
            text = message.get("text") or message.get("bytes") or b""
            if len(text) > _FRAME_MAX:
                raise Ending(1009, "a message may have 64 KB")
            with suppress(Problem):
                return json_object(text)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_text(json.dumps(message, separators=(",", ":")))

    async def _send_text(self, text: str) -> None:
        frame = self._frame(text)
        try:
            await self._socket.send(prepared(frame, self._pace.send))
        except Blocked:
            raise Ending(1013, "too slow") from None
        except (WebSocketDisconnect, RuntimeError):
            raise Ending(None) from None


def _shown(message: dict[str, Any]) -> Shown | None:
    """The key pair in an authentication, in either of the forms that clients use."""
    action, data = message.get("action"), message.get("data")
    pair: tuple[Any, Any] = (None, None)
    if action == "authenticate" and isinstance(data, dict):
        pair = data.get("key_id"), data.get("secret_key")
    elif action == "auth":
        pair = message.get("key"), message.get("secret")
    if isinstance(pair[0], str) and isinstance(pair[1], str):
        return Shown(pair[0], pair[1], str(action))
    return None


def _first(group: BaseExceptionGroup[Ending]) -> Ending:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, Ending), "only these were split off"
    return found
