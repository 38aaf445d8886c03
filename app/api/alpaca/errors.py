"""Failures as Alpaca's clients read them: `code` a number, `message` a text, beside our problem.

A client sends again by itself what was answered with 429 or 504, orders too: 504 is never answered
here, and 429 only to a key that asks too often, before its request was read. What we do not do is a
422 or 403, and what cannot be done now a 503.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import errors
from app.api.errors import Problem, answered, request_id_of, retry_headers
from app.api.rates import RATE_LIMITED
from app.api.shown_path import shown_path
from app.domain.refusal import Refusal

NOT_UNIQUE = 40010001

_NAMES_TAKEN = frozenset({"duplicate_client_order_id", "order_archived"})
_STATUS_OF = {409: 422, 412: 422}
"""What Alpaca says instead; its clients know no conflict."""


TOLD: Mapping[str, Any] = {
    "code": {"type": "integer", "description": "Alpaca's."},
    "reason": {"type": "string", "description": "Ours: stable, for machines."},
}
"""The members of a problem that differ from ours, for the page."""


def told(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem with Alpaca's members: `code` is theirs, `reason` our own word."""
    word, status = problem["code"], int(problem["status"])
    status = 403 if word.startswith("risk.") else _STATUS_OF.get(status, status)
    sent_again = status == 504 or (status == 429 and word != RATE_LIMITED)
    assert not sent_again, "the client would send the order again"
    number, message = status * 100_000 + 10_000, problem["message"]
    if word in _NAMES_TAKEN:
        number, message = NOT_UNIQUE, "client_order_id must be unique"
    return {
        **problem,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": number,
        "message": message,
        "reason": word,
    }


def install(api: FastAPI) -> None:
    """Teach an app to answer every failure in these words."""
    api.exception_handler(Refusal)(_on_refusal)
    api.exception_handler(Problem)(_on_problem)
    api.exception_handler(RequestValidationError)(_on_invalid)
    api.exception_handler(HTTPException)(_on_http)
    api.exception_handler(ClientDisconnect)(_on_disconnect)
    api.add_middleware(Unfailing)


class Unfailing:
    """What nobody expected is answered too: 503 while the database is away, else 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def tell(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, tell)
        except Exception as failure:
            if begun:
                raise  # The server can only cut it off.
            request_id = scope.get("state", {}).get("request_id", "")
            await _answer(errors.unexpected(request_id, failure))(scope, receive, send)


def _answer(problem: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    body = told(problem)
    return answered(body, {**(headers or {}), **(retry_headers(body) or {})})


async def _on_refusal(request: Request, refusal: Refusal) -> Response:
    return _answer(errors.refused(request_id_of(request), refusal))


async def _on_problem(request: Request, failure: Problem) -> Response:
    body = errors.problem_body(
        request_id_of(request), failure.status, failure.code, failure.message
    )
    return _answer(body, failure.headers)


async def _on_invalid(request: Request, invalid: RequestValidationError) -> Response:
    return _answer(errors.malformed(request_id_of(request), invalid))


async def _on_http(request: Request, failure: HTTPException) -> Response:
    code = {404: "not_found", 405: "method_not_allowed"}.get(failure.status_code, "http_error")
    message = f"{request.method} {shown_path(request.url.path)[:200]}: {failure.detail}"
    body = errors.problem_body(request_id_of(request), failure.status_code, code, message)
    return _answer(body, failure.headers)


async def _on_disconnect(request: Request, gone: ClientDisconnect) -> Response:
    return Response(status_code=400)
