"""Who sends a request a byte at a time holds a connection, and soon all of them: cut off."""

import asyncio
from math import inf
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.api.one_write import OneWrite

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
"""A request's head, and the body that follows it, have to be whole in so long. An answer may take
as long as it likes."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, whose patience with what comes in has an end, and which sends an
    answer in one piece."""

    _due_at = inf
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.transport = OneWrite(transport, self.loop.call_soon)
        self._expect(HEAD_SECONDS)
        self._look_at(self._due_at)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._expect(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.expect_body()
        super().on_headers_complete()

    def expect_body(self) -> None:
        self._expect(BODY_SECONDS)

    def on_message_complete(self) -> None:
        self._due_at = inf
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop()
        assert isinstance(self.transport, OneWrite), "made so, and upgraded once"
        self.transport = self.transport.raw
        super().handle_websocket_upgrade()

    def _expect(self, seconds: float) -> None:
        self._due_at = self.loop.time() + seconds

    def _look_at(self, moment: float) -> None:
        # One timer a connection: to arm one for every part of a request takes longer than reading
        # it. Nothing is due sooner than a head from now on.
        self._look = self.loop.call_at(moment, self._check)

    def _check(self) -> None:
        now = self.loop.time()
        if now < self._due_at:
            self._look_at(min(self._due_at, now + HEAD_SECONDS))
        elif not self.transport.is_closing():
            self.transport.abort()

    def _stop(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
