"""UUIDs of version 7: their order is the order of time."""

import os
import time
from collections import deque

_EACH = 20
"""Hexadecimal digits of chance in an id: eighty bits, of which 74 are used."""

_AT_ONCE = 256


class Chance:
    """Chance for ids to come: the kernel is asked once for many, for to ask takes longer than all
    else that an id needs. Whatever thread asks, each piece is handed out once."""

    def __init__(self) -> None:
        self._drawn: deque[str] = deque()
        if hasattr(os, "register_at_fork"):
            # Two processes must not hand out the same.
            os.register_at_fork(after_in_child=self._drawn.clear)

    def piece(self) -> str:
        try:
            return self._drawn.popleft()
        except IndexError:
            text = os.urandom(_EACH // 2 * _AT_ONCE).hex()
            places = range(_EACH, len(text), _EACH)
            self._drawn.extend(text[at : at + _EACH] for at in places)
            return text[:_EACH]


_CHANCE = Chance()


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 bits of chance."""
    chance = _CHANCE.piece()
    stamp = f"{time.time_ns() // 1_000_000 & (1 << 48) - 1:012x}"
    variant = "89ab"[int(chance[3], 16) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[8:]}"
