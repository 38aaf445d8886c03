"""WebSocket frames that are made once and written to many sockets.

uvicorn frames every message for every socket anew. What is told to a thousand subscribers is the
same bytes for all of them: a server's frames are not masked.
"""

import asyncio
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.api.partings import Partings

_FINAL_TEXT, _FINAL_BINARY = 0x81, 0x82
_HELD_BACK = 16 * 1024
"""Bytes that wait in this process for one socket, beside what the kernel holds; a reader that
takes nothing costs no more."""


@lru_cache(maxsize=4096)
def text_frame(text: str) -> bytes:
    """A whole text message as one frame (RFC 6455, 5.2)."""
    return _frame(_FINAL_TEXT, text.encode())


@lru_cache(maxsize=4096)
def binary_frame(text: str) -> bytes:
    """The same text as a binary message."""
    return _frame(_FINAL_BINARY, text.encode())


def _frame(head: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((head, length)) + payload
    if length < 1 << 16:
        return bytes((head, 126)) + length.to_bytes(2, "big") + payload
    return bytes((head, 127)) + length.to_bytes(8, "big") + payload


def chunks(texts: Sequence[str]) -> Iterator[tuple[bytes, int]]:
    """The frames of many messages, as many in one write as a blocked socket may hold back; with
    how many messages are out once it is written."""
    waiting: list[bytes] = []
    size = 0
    for number, text in enumerate(texts):
        frame = text_frame(text)
        if waiting and size + len(frame) > _HELD_BACK:
            yield b"".join(waiting), number
            waiting, size = [], 0
        waiting.append(frame)
        size += len(frame)
    if waiting:
        yield b"".join(waiting), len(texts)


class Blocked(Exception):
    """The socket takes nothing. No TimeoutError: Starlette would take that for a lost line."""


def prepared(frames: bytes, patience: float) -> dict[str, Any]:
    """The message that sends whole frames; Blocked when the socket takes nothing for `patience`
    seconds."""
    return {"type": "websocket.send", "frames": frames, "patience": patience}


class PreparedFrames(WebSocketsSansIOProtocol):
    """uvicorn's own protocol, which also sends what is framed already, and whose ends are spread
    where many come at once."""

    _partings = Partings()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=_HELD_BACK)

    def connection_lost(self, exc: Exception | None) -> None:
        # The socket is gone from this moment on, whenever the rest is unwound.
        self.disconnected = True
        self._partings.add(partial(super().connection_lost, exc))

    def shutdown(self) -> None:
        if not self.disconnected:
            super().shutdown()

    async def send(self, message: Any) -> None:
        frames = message.get("frames")
        if frames is None:
            await super().send(message)
            return
        if not self.writable.is_set():
            try:
                async with asyncio.timeout(message["patience"]):
                    await self.writable.wait()
            except TimeoutError:
                raise Blocked from None
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise ClientDisconnected()
        self.transport.write(frames)
