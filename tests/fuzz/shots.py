"""A request as data: made by schemathesis or out of several that it made."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from schemathesis import Case, GenerationMode


@dataclass(frozen=True)
class Shot:
    """`body` is sent as JSON, `raw` as it is in its place. `refused`: nobody may let this in;
    `locked`: it shows no key that opens anything."""

    label: str
    good: bool
    places: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = None
    refused: bool = False
    locked: bool = False

    @cached_property
    def content(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body).encode()


def of_case(label: str, case: Case) -> Shot:
    """What schemathesis is about to send."""
    body, raw = _body(case)
    return Shot(
        label=label,
        good=case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE,
        places={name: _text(value) for name, value in dict(case.path_parameters or {}).items()},
        query=_plain(case.query),
        headers={n: str(v) for n, v in dict(case.headers or {}).items() if _sendable(str(v))},
        body=body,
        raw=raw,
    )


def _body(case: Case) -> tuple[Any, bytes | None]:
    body = case.body
    if isinstance(body, bytes):
        return None, body
    if isinstance(body, dict | list | str | int | float | bool):
        try:
            return json.loads(json.dumps(body)), None
        except (TypeError, ValueError):
            return None, None
    return None, b"null" if body is None and case.media_type else None


def _plain(query: Any) -> dict[str, Any]:
    if not isinstance(query, dict):
        return {}
    return {
        str(name): [_text(one) for one in value] if isinstance(value, list) else _text(value)
        for name, value in query.items()
    }


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode(errors="replace").decode()


def _sendable(value: str) -> bool:
    return value.isascii() and value.isprintable()


def target_of(shot: Shot, path: str) -> str:
    """Path and query; `path` is the template that the places fill."""
    for name, value in shot.places.items():
        path = path.replace(f"{{{name}}}", quote(value, safe="") or "%20")
    query = urlencode(shot.query, doseq=True)
    return f"{path}?{query}" if query else path


def headers_of(shot: Shot, key: str) -> dict[str, str]:
    """What is sent with it; an empty one is not."""
    headers = {"Authorization": f"Bearer {key}"}
    if shot.content:
        headers["Content-Type"] = "application/json"
    return headers | dict(shot.headers)


def as_curl(shot: Shot, method: str, url: str, key: str) -> str:
    """A line for the shell that sends it again; the key is not in it."""
    parts = [f"curl -X {method} {shlex.quote(url)}"]
    for name, value in headers_of(shot, key).items():
        line = shlex.quote(f"{name}: {value}").replace(key, "'$KEY'")
        parts.append(f"-H {line}")
    content = shot.content
    if content:
        shown = content.decode(errors="replace")
        if shown.encode() == content and shown.isprintable():
            parts.append(f"--data-binary {shlex.quote(shown)}")
        else:
            escaped = "".join(f"\\x{byte:02x}" for byte in content[:2_000])
            parts.append(f"--data-binary @<(printf '{escaped}')  # {len(content)} bytes")
    return " ".join(parts)
