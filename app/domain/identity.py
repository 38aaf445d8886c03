"""Deterministic ids: what the broker sees of a child is computed, never drawn."""

import re
from functools import lru_cache

from app.domain.refusal import Refusal

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_KEY_LENGTH = 11
_NUMBER_LENGTH = 4
PREFIX = "sl"
_CHILD = re.compile(
    rf"{PREFIX}([{_DIGITS}]{{{_KEY_LENGTH}}})-([{_DIGITS}]{{1,{_NUMBER_LENGTH}}})", re.ASCII
)


@lru_cache(maxsize=256)
def order_key(order_id: str) -> str:
    """Eleven characters from the random end of an order's UUID; the store keeps them unique."""
    return _base36(int(order_id.replace("-", "")[-14:], 16)).rjust(_KEY_LENGTH, "0")


def child_id(order_id: str, number: int) -> str:
    """The client order id of a child at the broker: at most 18 of [a-z0-9-]."""
    digits = _base36(number)
    if len(digits) > _NUMBER_LENGTH:
        raise Refusal("too_many_children", f"order {order_id} has used up its child ids")
    return f"{PREFIX}{order_key(order_id)}-{digits}"


def parse_child(text: str) -> tuple[str, int] | None:
    """Order key and number of a child id of ours, None for an id that is not."""
    match = _CHILD.fullmatch(text)
    return (match.group(1), int(match.group(2), 36)) if match else None


_PAIRS = tuple(high + low for high in _DIGITS for low in _DIGITS)


def _base36(value: int) -> str:
    digits = ""
    while value:
        value, rest = divmod(value, 36 * 36)
        digits = _PAIRS[rest] + digits
    return digits.lstrip("0") or "0"
