"""One connection that is kept, asked one request after the other.

httpx takes 2 ms of a processor for a request, as much as the server for its answer: on a machine of
two that halves the storm. This takes a tenth, with the parser that the server itself has.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httptools

from tests.fuzz.answered import Answered

_BREATH = 0.2
"""Seconds, before a server that is not there is asked again."""


class NoAnswer(Exception):
    """The connection ended, or was silent, before the answer was whole."""


class Line(asyncio.Protocol):
    """To `host`:`port`; `patience` in seconds."""

    def __init__(self, host: str, port: int, patience: float) -> None:
        self._host, self._port, self._patience = host, port, patience
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[None] | None = None

    async def ask(self, method: str, target: str, headers: bytes, content: bytes) -> Answered:
        """Send a request and read its answer. Raises NoAnswer."""
        if self._transport is None or self._transport.is_closing():
            await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)
        assert self._transport is not None, "connection_made was called"
        began = time.perf_counter()
        self._headers: dict[str, str] = {}
        self._content = bytearray()
        self._parser: Any = httptools.HttpResponseParser(self)
        self._waiting = asyncio.get_running_loop().create_future()
        head = f"{method} {target} HTTP/1.1\r\nHost: {self._host}\r\n".encode()
        length = f"Content-Length: {len(content)}\r\n\r\n".encode()
        self._transport.write(head + headers + length + content)
        try:
            await asyncio.wait_for(self._waiting, self._patience)
        except TimeoutError:
            self.close()
            raise NoAnswer(f"silent for {self._patience:g} s") from None
        status = self._parser.get_status_code()
        if not self._parser.should_keep_alive():
            self.close()
        return Answered(status, self._headers, bytes(self._content), time.perf_counter() - began)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, self._host, self._port)
        except OSError as failure:
            await asyncio.sleep(_BREATH)
            raise NoAnswer(repr(failure)) from None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, failure: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(NoAnswer(f"cut off: {failure!r}"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as wrong:
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_exception(NoAnswer(f"no HTTP: {wrong!r}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._content += body

    def on_message_complete(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def header_lines(headers: Mapping[str, str]) -> bytes:
    """As they stand in a request; empty ones are left out."""
    lines = (f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return "".join(lines).encode("latin-1")
