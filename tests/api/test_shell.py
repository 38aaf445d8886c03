"""The shell around a request."""

from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from app.api.metrics import Metrics
from app.api.shell import Shell


async def test_what_is_logged_meanwhile_has_the_request_id() -> None:
    seen: list[dict[str, object]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(get_contextvars())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        seen.append(get_contextvars())

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"x-request-id", b"mine")]}
    await Shell(app, Metrics())(scope, receive, send)
    assert seen == [{"request_id": "mine"}] * 3
    assert get_contextvars() == {}
