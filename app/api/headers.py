"""Headers that mean something: Idempotency-Key, ETag, If-Match, Link."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from app.api.errors import Problem
from app.domain.refusal import Refusal, Stale

_KEY_LENGTH_MAX = 255


def idempotency_key(request: Request) -> str | None:
    """The client's key, quoted (a structured-field string) or bare."""
    header = request.headers.get("idempotency-key")
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= _KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
        raise Refusal(
            "bad_idempotency_key",
            "must be 1 to 255 printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def etag(row: Any) -> str:
    return f'"v{row["version"]}"'


def expected_version(request: Request) -> int:
    """The version in If-Match. Raises Problem 428 without one, Stale for what is no version."""
    header = request.headers.get("if-match")
    if header is None:
        raise Problem(
            428, "if_match_needed", 'say which version you change: If-Match: "v7" (see ETag)'
        )
    text = header.strip().strip('"')
    digits = text.removeprefix("v")
    if not (text.startswith("v") and digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise Stale("stale_version", 'If-Match must be one ETag of the order, such as "v7"')
    return int(digits)


def is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match names what the client would get."""
    known = request.headers.get("if-none-match", "").split(",")
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in known)


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header of a page that has a successor."""
    if cursor is None:
        return {}
    query: dict[str, Any] = dict(request.query_params) | {"cursor": cursor}
    return {"Link": f'<{request.url.path}?{urlencode(query)}>; rel="next"'}
