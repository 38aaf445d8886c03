"""A request as the client sent it: its fingerprint decides what is a repetition."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from app.store.database import to_json


def canonical(body: Mapping[str, Any]) -> bytes:
    """A body as JSON with its names in order: `store.database.to_json` of it, which takes several
    times as long and alone knows how to write what is not ASCII, or a number beyond 64 bits."""
    names = sorted(body)
    ordered = body if [*body] == names else {name: body[name] for name in names}
    try:
        quick = orjson.dumps(ordered, default=_plain)
    except TypeError:
        quick = b"\x7f"
    return quick if quick.isascii() and b"\x7f" not in quick else to_json(ordered).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"a client says nothing of the kind {type(value).__name__}")


class Given(NamedTuple):
    """The request as the client sent it: its fingerprint decides what is a repetition."""

    digest: bytes
    idempotency_key: str | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any], idempotency_key: str | None = None) -> "Given":
        return cls(hashlib.sha256(canonical(body)).digest(), idempotency_key)

    @property
    def sha256(self) -> str:
        """As PostgreSQL writes it."""
        return "\\x" + self.digest.hex()
