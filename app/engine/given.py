"""A request as the client sent it: its fingerprint decides what is a repetition."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from types import NoneType
from typing import Any, NamedTuple

import pydantic_core

from app.store.database import to_json


def canonical(body: Mapping[str, Any]) -> bytes:
    """A body as JSON with its names in order: `store.database.to_json` of it, which takes twice
    as long and alone knows how to write what is not ASCII."""
    try:
        quick = pydantic_core.to_json(
            {
                name: value if type(value := body[name]) in _ALIKE else _said(value)
                for name in sorted(body)
            }
        )
    except pydantic_core.PydanticSerializationError:  # Half a character.
        quick = b"\x7f"
    if quick.isascii() and b"\x7f" not in quick:
        return quick
    return to_json({name: body[name] for name in sorted(body)}).encode()


_ALIKE = frozenset({str, int, bool, NoneType})


def _said(value: Any) -> Any:
    """A value whose JSON the two write alike: decimals without exponents, as text."""
    kind = type(value)
    if kind is Decimal:
        return format(value, "f")
    if kind in _ALIKE:
        return value
    if kind is dict:
        return {name: _said(one) for name, one in value.items()}
    if kind is tuple or kind is list:
        return [_said(one) for one in value]
    assert isinstance(value, str), f"a client says nothing of the kind {kind.__name__}"
    return str.__str__(value)  # A choice, by its name.


class Given(NamedTuple):
    """The request as the client sent it: its fingerprint decides what is a repetition."""

    digest: bytes
    idempotency_key: str | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Given":
        return cls(hashlib.sha256(canonical(body)).digest())

    @classmethod
    def written(cls, body: bytes, idempotency_key: str | None = None) -> "Given":
        """Of a body that its model has written, always in the same order."""
        return cls(hashlib.sha256(body).digest(), idempotency_key)

    @property
    def sha256(self) -> str:
        """As PostgreSQL writes it."""
        return "\\x" + self.digest.hex()
