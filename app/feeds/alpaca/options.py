"""How Alpaca's market data is reached. Credentials are held here, and never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

DATA_URL = "https://data.alpaca.markets"
STREAM_URL = "wss://stream.data.alpaca.markets"
TRADING_URL = "https://paper-api.alpaca.markets"

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Source(StrEnum):
    """Whose trades and quotes are told: one exchange's (free), or all of them."""

    IEX = "iex"
    SIP = "sip"


@dataclass(frozen=True, slots=True)
class Options:
    """Times in milliseconds. `silent_ms`: after so long without a word of a symbol whose market is
    open, it is asked whether the line has gone mute; what happened in the last `in_flight_ms` may
    be on its way, and is no sign of it. `poll_ms`: how often a symbol that the line does not carry
    is asked for instead."""

    key_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    source: Source = Source.IEX
    data_url: str = DATA_URL
    stream_url: str = STREAM_URL
    trading_url: str = TRADING_URL
    request_ms: int = 5_000
    patience_ms: int = 8_000
    handshake_ms: int = 10_000
    silent_ms: int = 30_000
    in_flight_ms: int = 2_000
    poll_ms: int = 5_000
    backoff_ms: int = 250
    backoff_most_ms: int = 30_000


def read_options(given: Mapping[str, Any]) -> Options:
    """Raises ValueError for options that cannot be used; what is None is left out."""
    told = {name: value for name, value in given.items() if value is not None}
    missing = [name for name in ("key_id", "secret_key") if not told.get(name)]
    if missing:
        raise ValueError(
            "the feed 'alpaca' needs SLIPSTREAM_ALPACA_KEY_ID and SLIPSTREAM_ALPACA_SECRET_KEY"
        )
    for name in ("key_id", "secret_key"):
        _check_key(name, str(told[name]))
    known = set(Options.__dataclass_fields__)
    if strange := sorted(set(told) - known):
        raise ValueError(f"the feed 'alpaca' has no option {strange[0]!r}")
    told["source"] = Source(told.get("source", Source.IEX))
    for name, schemes in (
        ("data_url", ("https", "http")),
        ("trading_url", ("https", "http")),
        ("stream_url", ("wss", "ws")),
    ):
        if name in told:
            told[name] = _checked(name, str(told[name]), schemes)
    return Options(**told)


def _check_key(name: str, text: str) -> None:
    """Whatever cannot stand in a header would be told, whole, by the failure to send it."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError(f"{name} must be printable ASCII without spaces or line breaks")


def _checked(name: str, url: str, schemes: tuple[str, str]) -> str:
    """The address without a slash at its end. Credentials go to it: in the clear only to
    ourselves."""
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"{name} is no {schemes[0]} address")
    if parts.username or parts.password or parts.query:
        raise ValueError(f"{name} must be a plain address without credentials")
    if parts.path.rstrip("/").endswith("/v2"):
        raise ValueError(f"{name} must be told without /v2: it is added")
    if parts.scheme == schemes[1] and parts.hostname not in LOOPBACK:
        raise ValueError(f"{name} must be {schemes[0]}: credentials are sent there")
    return url.rstrip("/")
