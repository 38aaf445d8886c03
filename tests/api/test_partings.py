"""Many connections that end at once do not hold up who stays."""

import asyncio
import socket
import struct
from functools import partial

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from app.api.frames import PreparedFrames
from app.api.listening import OPTIONS, listen
from app.api.partings import Partings

LINES = 200
HANDSHAKE = (
    b"GET /stream HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def test_a_thousand_ends_leave_room_for_others_in_between() -> None:
    partings, ended = Partings(), list[int]()
    for number in range(1000):
        partings.add(partial(ended.append, number))
    most, before = 0, 0
    while len(ended) < 1000:
        await asyncio.sleep(0)
        most, before = max(most, len(ended) - before), len(ended)
    assert ended == list(range(1000))
    assert most <= 8


async def test_one_that_fails_keeps_none_of_the_others_and_is_reported() -> None:
    partings, ended, told = Partings(), list[int](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def failing() -> None:
        raise ValueError("unwound badly")

    for number in range(3):
        partings.add(failing)
        partings.add(partial(ended.append, number))
    await asyncio.sleep(0.05)
    partings.add(lambda: ended.append(3))
    await asyncio.sleep(0.05)
    assert ended == [0, 1, 2, 3]
    assert len(told) == 3


def test_a_loop_that_ended_in_between_keeps_nothing_from_the_next() -> None:
    partings, ended = Partings(), list[int]()

    async def add(first: int, turns: int) -> None:
        for number in range(first, first + 40):
            partings.add(partial(ended.append, number))
        for _ in range(turns):
            await asyncio.sleep(0)

    asyncio.run(add(0, 3))
    before = len(ended)
    asyncio.run(add(100, 60))
    assert before < 40
    assert ended[before:] == list(range(100, 140))


async def opened(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that accepts every line and waits for its end."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def test_a_server_stops_while_lines_are_being_let_go() -> None:
    """The sockets are gone at once, what they leave behind is unwound later: in between nobody
    may write to them."""

    async def stop_in_between() -> None:
        listening = listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(opened, **OPTIONS))
        running = asyncio.create_task(server._serve(sockets=[listening]))
        lines = [await _connected(listening.getsockname()) for _ in range(LINES)]
        here = server.server_state.connections
        async with asyncio.timeout(20):
            while sum(_is_open(one) for one in here) < LINES:
                await asyncio.sleep(0.01)
            for line in lines:
                # Reset: no goodbye that somebody could answer.
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.close()
            while not any(getattr(one, "disconnected", False) for one in here):
                await asyncio.sleep(0)
            assert len(here) > LINES / 2, "most are still to be unwound"
            await server.shutdown(sockets=[listening])
            assert not here
        server.should_exit = True
        running.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(stop_in_between())


def _is_open(connection: object) -> bool:
    return isinstance(connection, PreparedFrames) and connection.handshake_complete


async def _connected(address: tuple[str, int]) -> socket.socket:
    line = socket.socket()
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, address)
    await asyncio.get_running_loop().sock_sendall(line, HANDSHAKE)
    return line
