"""Where the server is and which key opens it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.cli.exits import Exit, Failure

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Place:
    """A server. The key never shows in a representation."""

    url: str
    key: str | None = field(default=None, repr=False)


def find(url: str | None, key: str | None) -> Place:
    """The server that options, the environment or the data directory name. Raises Failure."""
    place = find_open(url)
    return Place(place.url, key or _admin_key(place.url))


def find_open(url: str | None) -> Place:
    """The server, for what needs no key. Raises Failure."""
    if url is None:
        url = told().get("url")
    if url is None:
        raise Failure(
            Exit.UNREACHABLE,
            f"no server was started on {data_dir()}: run `slipstream serve`, or give --url",
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failure(Exit.USAGE, f"{url!r} is not the http address of a server")
    return Place(url.rstrip("/"))


def data_dir() -> Path:
    from pydantic import ValidationError

    from app.settings import Settings

    try:
        return Settings().data_dir
    except ValidationError as error:
        raise Failure(Exit.USAGE, wrong_settings(error)) from None


def wrong_settings(error: Any) -> str:
    """One line for settings that cannot be; the values stay out of it, they may be secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = "_".join(str(part) for part in first["loc"]).upper()
    prefix = "" if name.startswith(("SLIPSTREAM_", "DATABASE_URL")) else "SLIPSTREAM_"
    return f"{prefix}{name}: {first['msg']}"


def told() -> dict[str, Any]:
    """What the server of this data directory wrote about itself; empty if there was none."""
    try:
        found: dict[str, Any] = json.loads((data_dir() / "server.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise Failure(Exit.UNREACHABLE, f"cannot read {error.filename}: {error.strerror}") from None
    return found


def _admin_key(url: str) -> str:
    # A key of this machine is not shown to servers elsewhere.
    if urlsplit(url).hostname not in _LOOPBACK and url != told().get("url"):
        raise Failure(Exit.USAGE, f"which key? Give --key or SLIPSTREAM_KEY for {url}")
    path = data_dir() / "admin.key"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise Failure(
            Exit.USAGE, f"give --key or SLIPSTREAM_KEY: cannot read {path}: {error.strerror}"
        ) from None
