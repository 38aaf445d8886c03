"""WS /stream: subscribe with the last cursor, get what came after it, then live.

Nothing is said before the key is known. A second `subscribe` replaces the first. Cursors only
grow on one subscription; after a break the client subscribes with the last one it has seen.
"""

import asyncio
import json
import time
from contextlib import aclosing, suppress
from typing import Any, assert_never

import structlog
from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from app.api.auth import bearer, caller_of, known_key
from app.api.bodies import json_object
from app.api.errors import Problem
from app.api.frames import Blocked, chunks, prepared, text_frame
from app.api.stream_verbs import VERBS, Auth, Ping, Subscribe, Unsubscribe, Verb
from app.api.streams import Streams, gap_answer, machine_time
from app.domain.refusal import Refusal
from app.engine.service import Caller, Service
from app.engine.subscription import Cursor, Event, FellBehind, Gap, Wish

log = structlog.get_logger()
router = APIRouter()

SCOPE = "read"
_FRAME_MAX = 64 * 1024


@router.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    await Session(socket, socket.app.state.service, socket.app.state.streams).run()


class Ending(Exception):
    """Why a session ends. `code` None: the client is gone, there is nobody to tell."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Session:
    """One client on the stream, from its handshake to the close."""

    def __init__(self, socket: WebSocket, service: Service, streams: Streams) -> None:
        self._socket = socket
        self._hub = service.hub
        self._streams = streams
        self._pace = streams.pace
        self._busy = 0
        self._telling: asyncio.Task[None] | None = None
        self._told = service.hub.head

    async def run(self) -> None:
        await self._socket.accept()
        ending = Ending(1011, "something went wrong on our side")
        try:
            text, caller = await self._enter()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(text))
                group.create_task(self._listen(group, caller))
        except Ending as ended:
            ending = ended
        except ExceptionGroup as group_failure:
            ending = _first_ending(group_failure) or ending
        if ending.code is not None:
            await self._leave(ending.code, ending.reason)

    async def _enter(self) -> tuple[str, Caller]:
        """The key's text and who it is: from the handshake, else from the first message."""
        text = bearer(self._socket.headers.get("authorization"))
        if text is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.auth):
                    verb = await self._heard()
                    text = verb.key if isinstance(verb, Auth) else None
            if text is None:
                raise Ending(4401, "the first message must be auth, within 5 seconds")
            caller = await self._known(text)
            await self._send({"type": "authorized"})
            return text, caller
        return text, await self._known(text)

    async def _known(self, text: str) -> Caller:
        streams = self._streams
        key = await known_key(streams.keyring, streams.rates, text, self._socket)
        if key is None:
            raise Ending(4401, "not authorized")
        if not key.may(SCOPE):
            raise Ending(4403, f"this key has no scope {SCOPE!r}")
        return caller_of(key)

    async def _watch(self, text: str) -> None:
        """Heartbeats, and the two ends that come from our side: revoked, and restart."""
        next_beat = time.monotonic() + self._pace.heartbeat
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(self._pace.look, self._pace.heartbeat)):
                    await self._streams.closing.wait()
                raise Ending(1012, "the server restarts")
            if not await self._streams.still_living(text, SCOPE):
                raise Ending(4401, "the key was revoked")
            # A line that is busy sending needs no proof of life.
            if time.monotonic() >= next_beat and not self._busy:
                next_beat = time.monotonic() + self._pace.heartbeat
                # The head may be beyond what still waits to be told here.
                place = self._told if self._telling is not None else self._hub.head
                await self._send({"type": "heartbeat", "cursor": str(place), "ts": machine_time()})

    async def _listen(self, group: asyncio.TaskGroup, caller: Caller) -> None:
        while True:
            try:
                await self._obey(await self._heard(), group, caller)
            except Refusal as refusal:
                await self._send(_error(refusal.code, refusal.message))
            except Problem as failure:
                await self._send(_error(failure.code, failure.message))

    async def _obey(self, verb: Verb, group: asyncio.TaskGroup, caller: Caller) -> None:
        match verb:
            case Subscribe():
                await self._subscribe(verb, group, caller)
            case Unsubscribe():
                await self._stop_telling()
                await self._send({"type": "unsubscribed"})
            case Ping():
                await self._send({"type": "pong", "ts": machine_time()})
            case Auth():
                await self._send(_error("already_authorized", "this connection has its key"))
            case _:
                assert_never(verb)

    async def _subscribe(self, verb: Subscribe, group: asyncio.TaskGroup, caller: Caller) -> None:
        if verb.account and caller.accounts is not None and verb.account not in caller.accounts:
            raise Ending(4403, "this key may not see that account")
        wish, after = verb.wish(caller), verb.cursor
        await self._stop_telling()
        # "From now on" is this moment, not the one when the answer has left.
        head = await self._hub.now()
        channels = sorted(wish.channels)
        await self._send({"type": "subscribed", "channels": channels, "head": str(head)})
        self._told = after if after is not None else head
        self._telling = group.create_task(self._tell(wish, self._told))

    async def _stop_telling(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})
            self._telling = None

    async def _tell(self, wish: Wish, after: Cursor) -> None:
        try:
            async with aclosing(self._hub.follow(after, wish)) as following:
                async for events in following:
                    await self._send_events(events)
        except Gap as gap:
            await self._send(gap_answer(gap))
            self._told = gap.oldest
            await self._tell(wish, gap.oldest)
        except FellBehind as behind:
            raise Ending(1013, str(behind.cursor)) from None

    async def _heard(self) -> Verb:
        """The next message. Raises Problem for what is none, Ending when the client goes."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise Ending(None)
        text = message.get("text") or message.get("bytes") or b""
        if len(text) > _FRAME_MAX:
            raise Ending(1009, "a message may have 64 KB")
        try:
            return VERBS.validate_python(json_object(text))
        except ValidationError as invalid:
            first = invalid.errors()[0]
            place = ".".join(str(part)[:80] for part in first["loc"])
            raise Problem(422, "invalid_request", f"{place}: {first['msg']}") from None

    async def _send_events(self, events: list[Event]) -> None:
        """All that waits, in few writes."""
        for frames, out in chunks([event.frame for event in events]):
            await self._write(frames)
            self._told = events[out - 1].cursor

    async def _send(self, message: dict[str, Any]) -> None:
        await self._write(text_frame(json.dumps(message, separators=(",", ":"))))

    async def _write(self, frames: bytes) -> None:
        self._busy += 1
        try:
            await self._socket.send(prepared(frames, self._pace.send))
        except Blocked:
            raise Ending(1013, str(self._told)) from None
        except (WebSocketDisconnect, RuntimeError):
            raise Ending(None) from None
        finally:
            self._busy -= 1

    async def _leave(self, code: int, reason: str) -> None:
        # A blocked line has to move before it can carry the reason.
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(self._pace.goodbye):
                await self._socket.close(code, reason)


def _error(code: str, message: str) -> dict[str, str]:
    return {"type": "error", "code": code, "message": message}


def _first_ending(group: BaseExceptionGroup[BaseException]) -> Ending | None:
    """The session's end among what its tasks raised; anything else is ours, and logged."""
    endings, others = group.split(Ending)
    if others is not None:
        log.error("stream failed", exc_info=others)
    found: BaseException | None = endings
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, Ending) else None
