"""The shell around every request: its id, its time, its log line, and no failure unanswered."""

import logging
import os
import re
import time
from contextvars import ContextVar
from itertools import count

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import STRUCTLOG_KEY_PREFIX

from app.api.errors import answered, retry_headers, unexpected
from app.api.metrics import Metrics
from app.api.shown_path import shown_path

log = structlog.get_logger()

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")

BOUND: ContextVar[str] = ContextVar(f"{STRUCTLOG_KEY_PREFIX}request_id")
"""By its name every log line that is written meanwhile has it; structlog's own `bind_contextvars`
takes ten times as long, and knows nothing of this one."""


class Shell:
    """Pure ASGI: nothing is buffered, no task is added."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._register = Register(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = name_request(scope)
        began, status = time.perf_counter(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        bound = BOUND.set(request_id)
        try:
            await self._app(scope, receive, tell)
        except Exception as failure:
            body = unexpected(request_id, failure)
            if status:
                raise  # The answer has begun; the server can only cut it off.
            await answered(body, retry_headers(body))(scope, receive, tell)
        finally:
            self._register.keep(scope, status, time.perf_counter() - began)
            BOUND.reset(bound)


class Register:
    """Where requests are counted and logged."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tells: bool | None = None

    def keep(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        if scope.get("root_path") and route != "unknown":
            route = scope["root_path"] + route
        self._metrics.requests.observe(scope["method"], route, status, seconds)
        if self._tells is None:
            # Asked once: a line that nobody wants costs as much as reading a request's head.
            self._tells = bool(log.is_enabled_for(logging.DEBUG))
        if not self._tells:
            return
        log.debug(
            "request",
            method=scope["method"],
            path=shown_path(scope["path"]),
            status=status,
            milliseconds=round(seconds * 1000, 3),
        )


def name_request(scope: Scope) -> str:
    """Give a request its id, its client's own where it has one."""
    named = scope.setdefault("state", {})["request_id"] = _request_id(scope)
    return named


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            given: str = value.decode()
            return given
    return f"{_HERE}{next(_COUNT):08x}"


_HERE, _COUNT = os.urandom(4).hex(), count()
"""A request's id tells it from every other; nobody has to be unable to guess it."""
