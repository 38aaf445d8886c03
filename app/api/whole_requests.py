"""HTTP for direct routes: a request that is whole when its work begins, and an answer that leaves
as it was made.

uvicorn's own way carries both through ASGI, as messages that are taken apart and put together
again (what that costs: docs/performance.md). What is not plain goes that way still.
"""

from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Message, Scope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from app.api.bodies import WHOLE
from app.api.heads import Heads
from app.api.side_door import Api, SideDoor
from app.api.slow_clients import PatientProtocol

log = structlog.get_logger()

WHOLE_BYTES_MAX = HIGH_WATER_LIMIT
"""Of a body: beyond it uvicorn takes nothing in until somebody reads."""


class WholeRequest:
    """A request in the place where uvicorn's protocol keeps the one it is at: what that asks of
    it, and no more."""

    def __init__(self, scope: Scope, *, keep_alive: bool) -> None:
        self.scope, self.keep_alive = scope, keep_alive
        self.body, self.more_body = bytearray(), True
        self.disconnected = self.response_complete = self._read = False

    @property
    def message_event(self) -> "WholeRequest":
        return self

    def set(self) -> None:
        """Nobody waits for a part of it."""

    def begin(self) -> None:
        """Its body is whole, and lies with the rest of it."""
        self.scope[WHOLE], self.body = bytes(self.body), bytearray()

    async def receive(self) -> Message:
        if self._read:
            return {"type": "http.disconnect"}
        self._read = True
        return {"type": "http.request", "body": self.scope[WHOLE], "more_body": False}


class WholeProtocol(PatientProtocol):
    """uvicorn's protocol, with a way of its own to the side door of an app that has one.

    A client that goes away before its answer may have its order entered all the same, as always;
    one that the server leaves without an answer, because it has to stop, is cut off.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        app: Any = self.app
        self._side_door: SideDoor | None = app.side_door if isinstance(app, Api) else None
        self._lines = self._side_door.shortcut.lines if self._side_door is not None else {}
        self._heads = Heads(self.server_state)

    def on_headers_complete(self) -> None:
        line = self._lines.get((self.parser.get_method(), self.url))
        if line is None or not self._is_plain():
            super().on_headers_complete()
            return
        self.expect_body()
        scope: Any = self.scope
        scope["method"], scope["path"] = line
        scope["raw_path"], scope["query_string"], scope["app"] = self.url, b"", self.app
        cycle: Any = WholeRequest(scope, keep_alive=self.parser.should_keep_alive())
        self.cycle = cycle

    def on_message_complete(self) -> None:
        asked: object = self.cycle
        # Asked before: what begins an upgrade leaves the request before it in this place, and that
        # was served already.
        begins = type(asked) is WholeRequest and asked.more_body
        super().on_message_complete()
        if begins and type(asked) is WholeRequest:
            asked.begin()
            task = self.loop.create_task(self._serve(asked))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    def handle_websocket_upgrade(self) -> None:
        asked: object = self.cycle
        if type(asked) is WholeRequest and not asked.response_complete:
            # Its answer would be written into the stream.
            self.transport.close()
        else:
            super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        asked: object = self.cycle
        if type(asked) is WholeRequest and asked.more_body:
            # Nothing has begun, and nobody would end it.
            self.transport.close()
        else:
            super().shutdown()

    def _is_plain(self) -> bool:
        """Whether a whole body of moderate length is to come, and nothing else is being done."""
        if (
            self.expect_100_continue
            or not (self.cycle is None or self.cycle.response_complete)
            or self.parser.should_upgrade()
            or self.parser.get_http_version() != "1.1"
            or self.limit_concurrency is not None
            or self.root_path
        ):
            return False
        for name, value in self.headers:
            if name == b"content-length":
                return len(value) < 8 and value.isdigit() and int(value) <= WHOLE_BYTES_MAX
        return False

    async def _serve(self, asked: WholeRequest) -> None:
        assert self._side_door is not None, "nobody else is asked for whole answers"
        try:
            answer = await self._side_door.answer(asked.scope, asked.receive)
            if self.flow.write_paused:
                await self.flow.drain()
            self._tell(asked, answer)
        except Exception as failure:
            log.error("answer cut off", exc_info=failure)
        finally:
            if not asked.response_complete:
                self.transport.close()

    def _tell(self, asked: WholeRequest, answer: Response) -> None:
        if asked.disconnected or self.transport.is_closing():
            return
        transport: Any = self.transport
        closes = _CLOSE in answer.raw_headers
        head = self._heads.head(answer, keeps_alive=asked.keep_alive or closes)
        transport.write_whole(head + answer.body)
        asked.response_complete = True
        if closes or not asked.keep_alive:
            transport.close()
        self.on_response_complete()


_CLOSE = (b"connection", b"close")
