"""Who sends a request a byte at a time holds a connection, and soon all of them: cut off."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
"""A request's head, and the body that follows it, have to be whole in so long. An answer may take
as long as it likes."""


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, whose patience with what comes in has an end."""

    _too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._expect(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._expect(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._rest()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._rest()
        super().handle_websocket_upgrade()

    def _expect(self, seconds: float) -> None:
        self._rest()
        self._too_slow = self.loop.call_later(seconds, self._cut_off)

    def _rest(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None

    def _cut_off(self) -> None:
        self._too_slow = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.abort()
