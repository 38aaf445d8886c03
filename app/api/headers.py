"""Headers that mean something: Idempotency-Key, ETag, If-Match, Prefer, Link."""

import re
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from app.api.errors import Problem
from app.domain.refusal import Refusal, Stale

_KEY_LENGTH_MAX = 255

_ETAG = re.compile(r'(W/)?"[^"]*"')
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+')
"""Between commas, of which a quoted text may hold some."""
_PREFER_LENGTH_MAX = 500
"""What comes after it is not read: of quotes without end every one is looked for to the end."""


def header(request: Request, name: str) -> str | None:
    """A header's first value. Read where it lies: for two or three, a mapping costs more."""
    raw = name.encode()
    for key, value in request.scope["headers"]:
        if key == raw:
            found: str = value.decode("latin-1")
            return found
    return None


def idempotency_key(request: Request) -> str | None:
    """The client's key, quoted (a structured-field string) or bare."""
    told = header(request, "idempotency-key")
    if told is None:
        return None
    key = told.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not 1 <= len(key) <= _KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
        raise Refusal(
            "bad_idempotency_key",
            "must be 1 to 255 printable ASCII characters",
            field="Idempotency-Key",
        )
    return key


def etag(version: int) -> str:
    return f'"v{version}"'


def expected_version(request: Request) -> int:
    """The version in If-Match. Raises Problem 428 without one, Stale for another's ETag, Refusal
    for what is none."""
    told = header(request, "if-match")
    if told is None:
        raise Problem(
            428, "if_match_needed", 'say which version you change: If-Match: "v7" (see ETag)'
        )
    text = told.strip().strip('"')
    digits = text.removeprefix("v")
    if text.startswith("v") and digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(digits)
    if _ETAG.fullmatch(told.strip()):
        raise Stale("stale_version", f"the order never was at version {told.strip()[:40]}")
    raise Refusal("bad_if_match", 'must be one ETag of the order, such as "v7"', field="If-Match")


MINIMAL_APPLIED = (b"preference-applied", b"return=minimal")


def prefers_minimal(request: Request) -> bool:
    """Whether `Prefer: return=minimal` asks for the least of an answer (RFC 7240). What else is
    preferred is nobody's to know, and of two that contradict each other the first counts."""
    if header(request, "prefer") is None:
        return False
    told = ",".join(request.headers.getlist("prefer"))[:_PREFER_LENGTH_MAX]
    for preference in _PREFERENCE.findall(told):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "return":
            return value.strip().lower() in ("minimal", '"minimal"')
    return False


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
