"""UUIDs of version 7: their order is the order of time."""

import secrets
import time
from uuid import UUID


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 bits of chance."""
    stamp = time.time_ns() // 1_000_000 & (1 << 48) - 1
    chance = secrets.randbits(74)
    value = stamp << 80 | 0x7 << 76 | (chance >> 62) << 64 | 0b10 << 62 | chance & (1 << 62) - 1
    return str(UUID(int=value))
