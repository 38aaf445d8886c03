"""How answers are written: decimals as strings, moments as RFC 3339 in UTC."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, rfc3339
from app.domain.quantity import digits

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `next_cursor` None: there is no more."""

    items: list[Answer]
    next_cursor: str | None


def text(value: Decimal | None) -> str | None:
    if not value:
        return None if value is None else "0"
    text = digits(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def moment(value: Instant | None) -> str | None:
    return rfc3339(value) if value is not None else None


def rounded(value: Decimal | None, places: int) -> Decimal | None:
    return round(value, places) if value is not None else None
