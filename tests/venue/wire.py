"""HTTP/1.1 over plain asyncio streams: a venue must be able to hang up in the middle of anything,
and to be there again a moment after it was killed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Cut(Exception):
    """The connection is closed without an answer."""


class Hang(Exception):
    """No answer ever comes; the connection stays open until the other side gives up."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: tuple[str, ...]
    query: dict[str, str]
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        content = json.dumps(self.body).encode() if self.raw is None else self.raw
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        )
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return f"{head}{more}\r\n".encode() + content


Handle = Callable[[Call], Awaitable[Reply]]
Upgrade = Callable[[Call, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve(host: str, port: int, handle: Handle, upgrade: Upgrade) -> asyncio.Server:
    """Answer every connection with `handle`, which may raise Cut or Hang; a connection that asks
    to become a WebSocket is given to `upgrade`, which may raise Cut."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (call := await _read(reader)) is not None:
                if call.headers.get("upgrade", "").lower() == "websocket":
                    await upgrade(call, reader, writer)
                    break
                writer.write((await handle(call)).encoded())
                await writer.drain()
        except Hang:
            await reader.read()
        except (Cut, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    return await asyncio.start_server(connected, host, port, backlog=1024)


async def _read(reader: asyncio.StreamReader) -> Call | None:
    """The next call on this connection; None when the other side has hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as over:
        if over.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in _pairs(lines)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    path = tuple(unquote(part) for part in url.path.split("/") if part)
    body = json.loads(content) if content else None
    return Call(method, path, dict(parse_qsl(url.query)), body, headers, head)


def _pairs(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines if line]
