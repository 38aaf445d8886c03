"""The line between the two: a TCP proxy in the test's own loop that can be cut and stalled."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

CHUNK = 65_536

END_SECONDS = 0.2
"""How much later than the last byte the end of a connection is told."""


class Way(StrEnum):
    """What a stalled line holds back: all, only what is answered, or only orders: then one is told
    of an order that is still to arrive that nobody knows it."""

    ALL = "all"
    ANSWERS = "answers"
    ORDERS = "orders"


class Wire:
    """Listens at `port` and speaks on to whatever listens at `to()`.

    `cut` breaks all connections and refuses new ones until `mend`; `stall` holds bytes back
    without closing anything, until `flow`: then they arrive, however late. While `losing`, what
    is asked arrives, and the connection breaks with the first byte of the answer.
    """

    def __init__(self, to: Callable[[], int]) -> None:
        self._to = to
        self.port = 0
        self.losing = False
        self.passed = 0
        """Connections that were made."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._gates = {way: asyncio.Event() for way in Way}
        for gate in self._gates.values():
            gate.set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Break everything: what is under way is lost, whoever knocks is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    def reset(self) -> None:
        """Break all connections; new ones are taken."""
        for writer in self._open:
            writer.transport.abort()

    async def mend(self) -> None:
        """Listen again, at the same port."""
        while self._server is None:
            # For a moment the port may be somebody's outgoing connection.
            with suppress(OSError):
                await self.open()
            await asyncio.sleep(0.01)

    def stall(self, way: Way) -> None:
        self._gates[way].clear()

    def flow(self) -> None:
        for gate in self._gates.values():
            gate.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.passed += 1
        self._open.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            with suppress(OSError):
                answers, there = await asyncio.open_connection("127.0.0.1", self._to())
                self._open.add(there)
                await asyncio.gather(
                    self._pass(reader, there),
                    self._pass(answers, writer, answers=True),
                )
        finally:
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()
                    self._open.discard(end)

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        """Carry bytes until one end is gone; what was read is carried before the end is told."""
        while data := await source.read(CHUNK):
            if self.losing and answers:
                raise ConnectionResetError
            await self._gates[Way.ALL].wait()
            if answers:
                await self._gates[Way.ANSWERS].wait()
            elif data.startswith(b"POST "):
                await self._gates[Way.ORDERS].wait()
            to.write(data)
            await to.drain()
        # Together with its end, uvicorn reads no request: an end of its own makes it a late one.
        await asyncio.sleep(END_SECONDS)
        with suppress(OSError):
            to.write_eof()
