"""A column of many rows travels as one text, taken apart and cast in the statement: the driver
copies text as it is, where it would ask of each value of an array twice whether it is an array
itself."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any

import orjson
from sqlalchemy import Column, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from app.domain.instant import rfc3339
from app.domain.quantity import digits

Write = Callable[[Any], Any]
"""Writes a value as PostgreSQL reads it."""

_SEPARATOR, _SEPARATOR_SQL = "\x1f", r"\x1f"
_NULL, _NULL_SQL = "\x1e", r"\x1e"
"""Nothing that an order says has control characters: names and labels must not, JSON escapes
them."""


def taken_apart(number: int) -> str:
    """The statement's end of it: an array of texts, of which parameter."""
    return f"string_to_array(${number}, E'{_SEPARATOR_SQL}', E'{_NULL_SQL}')"


_ALIKE = frozenset({NoneType, str, bool, int})
"""Kinds of which equal values are written alike; 1.0 and 1.00 are equal decimals."""


def column(values: Sequence[Any], write: Write | None) -> str:
    """A column as one text."""
    first = values[0]
    if type(first) in _ALIKE and values.count(first) == len(values):
        # Most columns say the same of every order of a batch.
        alike = first if write is None else write(first)
        return joined((_NULL if alike is None else alike,) * len(values))
    return joined(values if write is None else [*map(write, values)])


def joined(values: Sequence[str | None]) -> str:
    try:
        # Most columns are whole; to look at each value would take longer than all the rest.
        text = _SEPARATOR.join(values)  # type: ignore[arg-type]
    except TypeError:
        text = _SEPARATOR.join([_NULL if value is None else value for value in values])
    # Not asserted: a value too many would give each order after it another's.
    if not text or text.count(_SEPARATOR) != len(values) - 1:
        # PostgreSQL takes an empty text for no values at all.
        raise ValueError("a column that does not read as one value an order")
    return text


_EMPTY = {type(None): "null", dict: "{}", list: "[]", tuple: "[]"}


def writer(named: Column[Any]) -> Write | None:
    """Who writes the values of a column as text; None: they are."""
    kind = named.type
    if isinstance(kind, LargeBinary):
        return _bytes
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, TIMESTAMP):
        return _moment
    if isinstance(kind, Numeric):
        return _number
    return None if isinstance(kind, Text | UUID) else _plain


def _json(value: Any) -> str:
    """Of texts, whole numbers and what is made of them: decimals are texts in an order's JSON."""
    # To begin to write costs more than most have to write.
    return (None if value else _EMPTY.get(type(value))) or orjson.dumps(value).decode()


def _number(value: Decimal | None) -> str | None:
    return None if value is None else digits(value)


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _bytes(value: bytes | str) -> str:
    """In PostgreSQL's own spelling."""
    return value if isinstance(value, str) else "\\x" + value.hex()


@lru_cache(maxsize=1024)
def _moment(value: int | str | None) -> str | None:
    return rfc3339(value) if isinstance(value, int) else value
