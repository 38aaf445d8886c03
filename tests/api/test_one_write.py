"""An answer's head and body leave together; what is alone does not wait for more."""

import asyncio
import re
import socket
from typing import Any

from app.api.one_write import OneWrite
from tests.api.conftest import Served


class Wire(asyncio.Transport):
    """The kernel's side: what each call brought it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []
        self.closed = self.aborted = False

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.calls.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed


def opened() -> tuple[Wire, OneWrite]:
    wire = Wire()
    return wire, OneWrite(wire, asyncio.get_running_loop().call_soon)


async def test_a_head_and_its_body_are_one_call() -> None:
    wire, transport = opened()
    for answer in (b"1", b"2"):
        transport.write(b"head" + answer)
        transport.write(b"body" + answer)
    assert wire.calls == [b"head1body1", b"head2body2"]
    await asyncio.sleep(0)
    assert len(wire.calls) == 2


async def test_a_head_alone_leaves_in_the_same_turn_of_the_loop() -> None:
    wire, transport = opened()
    transport.write(b"head")
    transport.write(b"first")
    transport.write(b"second")
    assert wire.calls == [b"headfirst"]
    await asyncio.sleep(0)
    assert wire.calls == [b"headfirst", b"second"]
    transport.write(b"third")
    await asyncio.sleep(0)
    assert wire.calls[2:] == [b"third"]


async def test_what_is_held_leaves_before_the_end() -> None:
    wire, transport = opened()
    transport.write(b"400")
    transport.close()
    assert (wire.calls, wire.closed) == ([b"400"], True)
    await asyncio.sleep(0)
    assert wire.calls == [b"400"]


async def test_who_has_gone_is_told_nothing() -> None:
    wire, transport = opened()
    transport.write(b"head")
    wire.closed = True
    await asyncio.sleep(0)
    assert wire.calls == []
    wire, transport = opened()
    transport.write(b"head")
    transport.abort()
    await asyncio.sleep(0)
    assert (wire.calls, wire.aborted) == ([], True)


async def test_many_requests_in_one_packet_have_their_answers_in_order(served: Served) -> None:
    """On a real socket, with a head alone (100 Continue) and a stream among them."""
    asks = b"".join(
        f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        for path in ("/healthz", "/nowhere", "/healthz")
    )
    last = b"POST /orders HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    writer.write(asks + last + b"{}")
    found = []
    async with asyncio.timeout(20):
        while len(found) < 4:
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split()[1])
            if status != 100:
                found.append(status)
                length = re.search(rb"content-length: (\d+)", head.lower())
                assert length is not None
                await reader.readexactly(int(length[1]))
    writer.close()
    assert found == [200, 404, 200, 401]
