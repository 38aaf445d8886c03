"""What the Alpaca broker can be told, checked before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

PAPER_URL = "https://paper-api.alpaca.markets"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Options:
    """`url` is what Alpaca calls its base URL, without `/v2`; `stream_url` that of trade updates.

    `brackets`: exits rest with their stop. Times are in milliseconds: how long a submit, a cancel
    and a question may take in all, and how late look-ups and lists may be (`lookup_lag_ms`).
    """

    key_id: str
    secret_key: SecretStr
    url: str = PAPER_URL
    stream_url: str = ""
    requests_per_minute: int = 200
    submit_timeout_ms: int = 5_000
    cancel_timeout_ms: int = 5_000
    question_timeout_ms: int = 10_000
    lookup_lag_ms: int = 2_000
    connections: int = 16
    cancel_connections: int = 8
    brackets: bool = True


def read_options(given: Mapping[str, Any]) -> Options:
    """The options as a record; what is None is as if it were not told.

    Raises ValueError naming the one at fault, never its value where that is a secret.
    """
    told = {name: value for name, value in given.items() if value is not None}
    if unknown := sorted(set(told) - {f.name for f in fields(Options)}):
        raise ValueError(f"the alpaca broker has no option {unknown[0]!r}")
    for name in ("key_id", "secret_key"):
        if not told.get(name):
            raise ValueError(f"the alpaca broker needs the option {name!r}")
    if not isinstance(told["secret_key"], SecretStr):
        told["secret_key"] = SecretStr(str(told["secret_key"]))
    _check_key("key_id", str(told["key_id"]))
    _check_key("secret_key", told["secret_key"].get_secret_value())
    url = str(told.get("url", PAPER_URL)).rstrip("/")
    stream = str(told.get("stream_url") or _stream_of(url))
    _check_url("url", url, ("https", "http"))
    _check_url("stream_url", stream, ("wss", "ws"))
    options = Options(**(told | {"url": url, "stream_url": stream}))
    for field in fields(Options):
        value = getattr(options, field.name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if field.type in ("int", int) and not (whole and value > 0):
            raise ValueError(f"{field.name} must be a whole number above zero")
    if not isinstance(options.brackets, bool):
        raise ValueError("brackets must be true or false")
    return options


def _check_key(name: str, text: str) -> None:
    """Whatever cannot stand in a header would be told, whole, by the failure to send it."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError(f"{name} must be printable ASCII without spaces or line breaks")


def _stream_of(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme.replace('http', 'ws')}{separator}{rest}/stream"


def _check_url(name: str, url: str, schemes: tuple[str, str]) -> None:
    """The second of the schemes sends keys in the clear: only this machine may be at its end."""
    secure, clear = schemes
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"{name} must begin with {secure}://")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError(f"{name} must be an address and nothing else")
    if parts.path.rstrip("/").endswith("/v2"):
        raise ValueError(f"{name} must be told without /v2: it is added")
    if parts.scheme == clear and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{name} must begin with {secure}://, or keys would travel in the clear")
