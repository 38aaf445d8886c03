"""What the sandbox broker can be told, checked before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Options:
    """`url` is the venue's, without a path. Times are in milliseconds: how long opening, a submit,
    a cancel and a question may take in all, and how long the stream waits for news each time."""

    url: str
    open_timeout_ms: int = 1_000
    submit_timeout_ms: int = 2_000
    cancel_timeout_ms: int = 2_000
    question_timeout_ms: int = 3_000
    stream_wait_ms: int = 5_000
    connections: int = 32
    cancel_connections: int = 8


def read_options(given: Mapping[str, Any]) -> Options:
    """The options as a record. Raises ValueError naming the one at fault."""
    unknown = sorted(set(given) - {f.name for f in fields(Options)})
    if unknown:
        raise ValueError(f"the sandbox broker has no option {unknown[0]!r}")
    url = given.get("url")
    if not url:
        raise ValueError("the sandbox broker needs the option 'url'")
    parts = urlsplit(str(url))
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"url must begin with http:// or https://, not {url!r}")
    options = Options(**(dict(given) | {"url": str(url).rstrip("/")}))
    for field in fields(Options):
        value = getattr(options, field.name)
        if field.name != "url" and (not isinstance(value, int) or value <= 0):
            raise ValueError(f"{field.name} must be a whole number above zero")
    return options
