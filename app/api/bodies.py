"""JSON bodies to models: numbers keep the digits they came with, a name may not come twice."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect

from app.api.errors import Problem
from app.api.headers import header

BODY_BYTES_MAX = 256 * 1024

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A body or query in which nothing unknown passes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


WHOLE = "slipstream.body"
"""Where in its scope a request has its body, if it came in whole."""


async def parsed(request: Request, model: type[Model]) -> Model:
    """The request's body. Raises Problem for what is no JSON object, RequestValidationError for
    the rest."""
    return checked(json_object(await read(request)), model)


def whole(request: Request) -> bytes | None:
    """The body of a request that came in whole, which is never too large: nobody has to wait."""
    body: bytes | None = request.scope.get(WHOLE)
    return body


def checked(given: object, model: type[Model]) -> Model:
    """What JSON said, as a model. Raises RequestValidationError."""
    try:
        return model.model_validate(given)
    except ValidationError as invalid:
        raise RequestValidationError(
            [{**error, "loc": ("body", *error["loc"])} for error in invalid.errors()]
        ) from None


async def read(request: Request, at_most: int = BODY_BYTES_MAX) -> bytes:
    """The whole body; one too large is refused as soon as that is known."""
    told = header(request, "content-length") or "0"
    if told.isdigit() and int(told[:19]) > at_most:
        raise _too_large(at_most)
    body = bytearray()
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > at_most:
            raise _too_large(at_most)
    return bytes(body)


def _too_large(at_most: int) -> Problem:
    # The rest of the body is on its way and nobody will read it.
    words = f"a body may have {at_most // 1024} KB"
    return Problem(413, "body_too_large", words, {"Connection": "close"})


def json_object(raw: bytes | str) -> dict[str, Any]:
    """A JSON object with every number as Decimal. NaN and Infinity come out as NaN, so that
    the field that holds them can be named."""
    try:
        value = _DECODER.decode(raw if isinstance(raw, str) else raw.decode())
    except (ValueError, RecursionError) as failure:
        words = str(failure) if isinstance(failure, json.JSONDecodeError | _Twice) else "unreadable"
        raise Problem(400, "invalid_json", f"the body is not JSON: {words[:200]}") from None
    if not isinstance(value, dict):
        raise Problem(400, "invalid_json", "the body must be a JSON object")
    return value


class _Twice(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Twice("a name comes twice in one object")
    names = "".join(members)
    if not names.isprintable() or (len(names) > 200 and max(map(len, members)) > 200):
        raise _Twice("a name is not printable or longer than 200 characters")
    return members


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_float=_number,
    parse_int=_number,
    parse_constant=lambda _: Decimal("NaN"),
)
