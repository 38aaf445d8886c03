"""Every failure as RFC 9457 `application/problem+json`; one table from refusals to statuses."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.api.shown_path import shown_path
from app.domain.refusal import Conflict, Forbidden, Missing, Refusal, Stale, Unavailable
from app.engine.accept import KeyReused
from app.engine.reading import unreachable
from app.engine.tradingview import TooMany

log = structlog.get_logger()

STATUS_OF: Mapping[type[Refusal], int] = {
    Refusal: 422,
    KeyReused: 422,
    Conflict: 409,
    Missing: 404,
    Stale: 412,
    Forbidden: 403,
    Unavailable: 503,
    TooMany: 429,
}

_CODES = {404: "not_found", 405: "method_not_allowed"}
_ERRORS_MAX = 20


class Problem(Exception):
    """A failure of HTTP itself, which the domain knows nothing of."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def problem(
    request_id: str,
    status: int,
    code: str,
    message: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a failure."""
    return answered(problem_body(request_id, status, code, message, errors=errors), headers)


def answered(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A problem's body as an answer of its own."""
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def problem_body(
    request_id: str,
    status: int,
    code: str,
    message: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    detail: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """RFC 9457. `detail` adds members of its own (a risk limit and its value)."""
    return {
        "type": f"urn:slipstream:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "code": code,
        "message": message,
        "errors": list(errors),
        "request_id": request_id,
        **(detail or {}),
    }


def refused(request_id: str, refusal: Refusal) -> dict[str, Any]:
    """What the domain says no to."""
    status = next(STATUS_OF[kind] for kind in type(refusal).__mro__ if kind in STATUS_OF)
    errors = []
    if refusal.field is not None:
        errors.append({"loc": refusal.field.split("."), "msg": refusal.message})
    return problem_body(
        request_id, status, refusal.code, refusal.message, errors=errors, detail=refusal.detail
    )


def unexpected(request_id: str, error: BaseException) -> dict[str, Any]:
    """A failure of ours, or of the database; what it was stays in the log."""
    if unreachable(error):
        log.warning("database away", request_id=request_id, error=str(error))
        message = "the database cannot be reached; nothing is known to have changed"
        return problem_body(request_id, 503, "database_unavailable", message)
    log.error("request failed", request_id=request_id, exc_info=error)
    return problem_body(request_id, 500, "internal_error", "something went wrong on our side")


def retry_headers(body: Mapping[str, Any]) -> dict[str, str] | None:
    """When to ask again, where that may help."""
    return {"Retry-After": "1"} if body["status"] == 503 else None


def request_id_of(request: Request) -> str:
    known: str = request.scope.get("state", {}).get("request_id", "")
    return known


def install(api: FastAPI) -> None:
    """Teach an app to answer every expected failure with a problem."""
    api.exception_handler(Refusal)(_on_refusal)
    api.exception_handler(Problem)(_on_problem)
    api.exception_handler(RequestValidationError)(_on_invalid)
    api.exception_handler(HTTPException)(_on_http)
    api.exception_handler(ClientDisconnect)(_on_disconnect)


async def _on_refusal(request: Request, refusal: Refusal) -> Response:
    body = refused(request_id_of(request), refusal)
    if isinstance(refusal, TooMany):
        return answered(body, {"Retry-After": str(refusal.seconds)})
    return answered(body, retry_headers(body))


async def _on_problem(request: Request, failure: Problem) -> Response:
    return problem(
        request_id_of(request),
        failure.status,
        failure.code,
        failure.message,
        headers=failure.headers,
    )


async def _on_invalid(request: Request, invalid: RequestValidationError) -> Response:
    return answered(malformed(request_id_of(request), invalid))


def malformed(request_id: str, invalid: RequestValidationError) -> dict[str, Any]:
    """What a body or query has wrong, field by field."""
    # The first part of a place is "body", "query" or "path"; the rest names the field.
    errors = [
        {"loc": [_name(part) for part in error["loc"][1:]], "msg": _words(error["msg"])}
        for error in list(invalid.errors())[:_ERRORS_MAX]
    ]
    first = errors[0]
    place = ".".join(str(part) for part in first["loc"])
    message = f"{place}: {first['msg']}" if place else str(first["msg"])
    return problem_body(request_id, 422, "invalid_request", message, errors=errors)


def _name(part: str | int) -> str | int:
    return part if isinstance(part, int) else part[:80]


def _words(message: str) -> str:
    return message.removeprefix("Value error, ").replace(
        "Extra inputs are not permitted", "unknown field"
    )


async def _on_http(request: Request, failure: HTTPException) -> Response:
    code = _CODES.get(failure.status_code, "http_error")
    message = f"{request.method} {shown_path(request.url.path)[:200]}: {failure.detail}"
    return problem(
        request_id_of(request), failure.status_code, code, message, headers=failure.headers
    )


async def _on_disconnect(request: Request, gone: ClientDisconnect) -> Response:
    log.debug("client went away before its request was whole", path=shown_path(request.url.path))
    return Response(status_code=400)
