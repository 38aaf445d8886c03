"""A request as the client sent it: its fingerprint decides what is a repetition."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from app.store.database import to_json, without_digits_lost


def canonical(body: Mapping[str, Any]) -> bytes:
    """A body as JSON with its names in order: `store.database.to_json` of it, which takes several
    times as long and alone knows how to write what is not ASCII, or a number beyond 64 bits.

    Of the kinds that a door reads: texts, whole numbers, decimals, flags, choices, and lists and
    objects of them. Bodies have no floats.
    """
    names = sorted(body)
    sorted_already = type(body) is dict and [*body] == names
    ordered = body if sorted_already else {name: body[name] for name in names}
    try:
        quick = orjson.dumps(ordered, default=without_digits_lost)
    except TypeError:
        quick = b"\x7f"
    return quick if quick.isascii() and b"\x7f" not in quick else to_json(ordered).encode()


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
