"""Direct routes over real sockets: whatever comes, the answers are those of uvicorn's own way, and
each order is entered once."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.responses import Response
from uvicorn.server import ServerState

from app.api.heads import Heads
from app.api.listening import OPTIONS, listen
from app.api.slow_clients import PatientProtocol
from app.api.whole_requests import WHOLE_BYTES_MAX, WholeProtocol
from app.engine.service import Service
from tests.api.conftest import order_body

UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Door:
    """A server of its own, by one protocol or the other."""

    def __init__(self, server: uvicorn.Server, port: int, key: str) -> None:
        self.server, self.port, self._key = server, port, key

    def order(self, body: bytes | None = None, more: str = "", *, version: str = "1.1") -> bytes:
        body = json.dumps(order_body()).encode() if body is None else body
        length = "" if "ength" in more or "chunked" in more else f"Content-Length: {len(body)}\r\n"
        return f"POST /orders HTTP/{version}\r\n{self._head()}{length}{more}\r\n".encode() + body

    def get(self, path: str, more: str = "") -> bytes:
        return f"GET {path} HTTP/1.1\r\n{self._head()}{more}\r\n".encode()

    def _head(self) -> str:
        return f"Host: x\r\nAuthorization: Bearer {self._key}\r\n"

    async def say(self, *parts: bytes, pause: float = 0.2) -> bytes:
        """All that is answered until nothing comes any more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause)
            return await _until_quiet(reader)
        finally:
            writer.transport.abort()

    @property
    def rests(self) -> bool:
        return not self.server.server_state.tasks and not self.server.server_state.connections


async def _until_quiet(reader: asyncio.StreamReader) -> bytes:
    heard = b""
    while True:
        try:
            more = await asyncio.wait_for(reader.read(1 << 20), 0.4)
        except (TimeoutError, ConnectionError):
            return heard
        if not more:
            return heard + b"<closed>"
        heard += more
        if b"101 Switching" in heard:
            return heard  # A stream is never quiet.


@asynccontextmanager
async def opened(app: Any, key: str, protocol: Any = WholeProtocol) -> AsyncIterator[Door]:
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, **{**OPTIONS, "http": protocol}))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield Door(server, listening.getsockname()[1], key)
    app.state.streams.close()
    server.should_exit = True
    await running


async def entered(service: Service) -> int:
    count: int = await service.database.pool.fetchval("SELECT count(*) FROM orders")
    return count


def alike(heard: bytes) -> list[bytes]:
    """What is not each answer's own, in lines; headers come in any order."""
    text = re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}", b"ID", heard)
    text = re.sub(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z", b"MOMENT", text)
    text = re.sub(rb"(?i)(date|x-request-id|content-length): [^\r]*", rb"\1", text)
    text = re.sub(rb'"request_id":"[^"]*"', b"", text)
    return sorted(text.replace(b"HTTP/1.1", b"\r\nHTTP/1.1").split(b"\r\n"))


def ways(door: Door) -> dict[str, tuple[bytes, ...]]:
    order, get = door.order(), door.get("/healthz")
    return {
        "one": (order,),
        "closing": (door.order(more="Connection: close\r\n"),),
        "one after the other": (order, order),
        "orders and others in one packet": (get + order + order + get + order,),
        "after a closing one": (door.order(more="Connection: close\r\n") + order,),
        "old": (door.order(version="1.0"),),
        "by the byte": tuple(bytes([one]) for one in door.order(b"{}", "X-Request-Id: mine\r\n")),
        "continue": (door.order(more="Expect: 100-continue\r\n"),),
        "chunked": (door.order(b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n"),),
        "nothing": (door.order(b""),),
        "no length": (door.order(b"", "No-Length: 1\r\n"),),
        "as much as may be": (door.order(b" " * WHOLE_BYTES_MAX),),
        "one more": (door.order(b" " * (WHOLE_BYTES_MAX + 1)),),
        "far too much": (door.order(b"x" * 300_000),),
        "zeros before its length": (
            door.order(b" " * 150_000, f"Content-Length: {'0' * 19}150000\r\n"),
        ),
        "two lengths": (door.order(b"{}", "Content-Length: 2\r\nContent-Length: 3\r\n"),),
        "garbage after it": (order + b"\x00\x01 nonsense\r\n\r\n",),
        "a query": (door.order().replace(b"/orders", b"/orders?a=b", 1),),
        "another method": (door.order().replace(b"POST", b"PUT", 1),),
        "two names": (door.order(more="X-Request-Id: a\r\nX-Request-Id: b\r\n"),),
        "h2c": (door.order(more="Connection: Upgrade\r\nUpgrade: h2c\r\n"),),
    }


async def test_what_is_heard_is_what_uvicorn_would_have_said(
    api: Any, service: Service, admin_key: str
) -> None:
    heard: dict[str, list[Any]] = {}
    for protocol in (PatientProtocol, WholeProtocol):
        async with opened(api, admin_key, protocol) as door:
            for name, parts in ways(door).items():
                before = await entered(service)
                pause = 0.0 if len(parts) > 9 else 0.2
                said = alike(await door.say(*parts, pause=pause))
                heard.setdefault(name, []).append((said, await entered(service) - before))
    for name, (old, new) in heard.items():
        assert new == old, name
    assert [heard[name][1][1] for name in ("one", "orders and others in one packet")] == [1, 3]


@pytest.mark.parametrize("path", ["/stream", "/orders"])
@pytest.mark.parametrize("apart", [True, False], ids=["later", "in one packet"])
async def test_an_upgrade_after_an_order_enters_nothing(
    api: Any, service: Service, admin_key: str, path: str, apart: bool
) -> None:
    """It leaves the request before it where uvicorn looks for the one it is at."""
    async with opened(api, admin_key) as door:
        upgrade = door.get(path, UPGRADE)
        if path == "/orders":
            upgrade = door.order(b"{}", UPGRADE)
        parts = (door.order(), upgrade) if apart else (door.order() + upgrade,)
        heard = await door.say(*parts)
        again = await door.say(door.order())
    assert await entered(service) == 2, "one a request"
    assert heard.startswith(b"HTTP/1.1 202") if apart else b"202" not in heard
    assert again.startswith(b"HTTP/1.1 202")


async def test_whoever_goes_away_leaves_nothing_behind(
    api: Any, service: Service, admin_key: str
) -> None:
    async with opened(api, admin_key) as door:
        whole = door.order()
        for part in (whole, whole[:-20], whole + whole[:40], whole[:30]):
            _, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(part)
            await writer.drain()
            writer.transport.abort()
        for _ in range(100):
            await asyncio.sleep(0.05)
            if door.rests:
                break
        assert door.rests
        assert (await door.say(whole)).startswith(b"HTTP/1.1 202")


async def test_a_stopping_server_does_not_wait_for_half_an_order(api: Any, admin_key: str) -> None:
    async with opened(api, admin_key) as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(door.order()[:-20])
        await asyncio.sleep(0.2)
    assert door.rests
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_after_a_failure_of_ours_the_line_goes_on(
    api: Any, service: Service, admin_key: str
) -> None:
    async with opened(api, admin_key) as door:
        await door.say(door.order())
        await service.database.pool.execute("ALTER TABLE orders RENAME TO elsewhere")
        heard = await door.say(door.order(), door.get("/healthz"))
        await service.database.pool.execute("ALTER TABLE elsewhere RENAME TO orders")
    assert re.findall(rb"HTTP/1.1 (\d+)", heard) == [b"500", b"200"]


async def test_a_whole_request_is_told_once(api: Any, admin_key: str) -> None:
    """Who reads on hears that there is no more, instead of the same again."""
    seen: list[Any] = []

    async def answer(scope: Any, receive: Any) -> Response:
        seen.extend([await receive(), await receive()])
        return Response(b"seen", 200, {"Connection": "close"})

    api.side_door.answer = answer
    async with opened(api, admin_key) as door:
        heard = await door.say(door.order(b"{}"), door.order(b"{}"))
    assert [message["type"] for message in seen] == ["http.request", "http.disconnect"]
    assert heard.count(b"connection: close") == 1
    assert heard.endswith(b"seen<closed>")


def test_a_head_has_a_line_for_each_header() -> None:
    state: Any = SimpleNamespace(default_headers=[(b"date", b"then")])
    heads = Heads(state)
    answer = Response(b"x", 202, {"A": "b"})
    head = heads.head(answer, keeps_alive=True)
    assert head == b"HTTP/1.1 202 Accepted\r\ndate: then\r\na: b\r\ncontent-length: 1\r\n\r\n"
    state.default_headers = [(b"date", b"now")]
    closing = heads.head(answer, keeps_alive=False)
    assert closing == head.replace(b"then", b"now")[:-2] + b"connection: close\r\n\r\n"
    for bad in (b"b\r\nc: d", b"b\n", b"b\r"):
        answer.raw_headers[0] = (b"a", bad)
        with pytest.raises(ValueError, match="line"):
            heads.head(answer, keeps_alive=True)


def test_the_state_is_uvicorns_own() -> None:
    """What heads are made of, by the name that uvicorn gives it."""
    assert ServerState().default_headers == []
