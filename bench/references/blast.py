"""Writes prepared frames to raw sockets, many at once: what the listening client can do at most."""

import asyncio
import re
import sys
from typing import Any

import uvloop

from app.api.frames import text_frame

_UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + text_frame('{"type":"subscribed"}')
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnull"
_AT_ONCE = 20


class Blast(asyncio.Protocol):
    def __init__(self, sockets: set[Any]) -> None:
        self._sockets = sockets

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._posted = b""

    def connection_lost(self, error: Exception | None) -> None:
        self._sockets.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /stream"):
            self._transport.write(_UPGRADED)
            self._sockets.add(self._transport)
        elif self._posted or data.startswith(b"POST /send?times="):
            self._posted += data
            self._post()
        elif data.startswith(b"GET /"):
            self._transport.write(_OK)

    def _post(self) -> None:
        head, _, body = self._posted.partition(b"\r\n\r\n")
        if len(body) < int(re.findall(rb"(?i)content-length: (\d+)", head)[0]):
            return  # The rest is on its way.
        self._send(text_frame(body.decode()), int(re.findall(rb"times=(\d+)", head)[0]))
        self._transport.write(_OK)

    def _send(self, frame: bytes, times: int) -> None:
        for begin in range(0, times, _AT_ONCE):
            some = frame * min(_AT_ONCE, times - begin)
            for socket in self._sockets:
                socket.write(some)


async def served(port: int) -> None:
    sockets: set[Any] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Blast(sockets), "127.0.0.1", port
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(served(int(sys.argv[1])))
