"""The way in for direct routes, past the app's middleware and routing."""

import time

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.direct import Shortcut
from app.api.errors import answered, retry_headers, unexpected
from app.api.metrics import Metrics
from app.api.shell import BOUND, Register, name_request


class SideDoor:
    """What the shell is to every request, for those of direct routes, whose answers are made
    before they are sent: as ASGI, and for a server that takes the answer itself."""

    def __init__(self, shortcut: Shortcut, metrics: Metrics) -> None:
        self.shortcut = shortcut
        self._register = Register(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self.answer(scope, receive)
        await answer(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """Whatever goes wrong is answered too."""
        request_id = name_request(scope)
        began, status = time.perf_counter(), 0
        bound = BOUND.set(request_id)
        try:
            answer = await self.shortcut.answer(scope, receive)
            status = answer.status_code
        except Exception as failure:
            body = unexpected(request_id, failure)
            answer, status = answered(body, retry_headers(body)), body["status"]
        finally:
            self._register.keep(scope, status, time.perf_counter() - began)
            BOUND.reset(bound)
        answer.raw_headers.append((b"x-request-id", request_id.encode()))
        return answer


class Api(FastAPI):
    """An app with a side door."""

    side_door: SideDoor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.side_door.shortcut.knows(scope):
            scope["app"] = self
            await self.side_door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
