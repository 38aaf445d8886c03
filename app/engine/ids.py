"""UUIDs of version 7: their order is the order of time."""

import os
import time


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 bits of chance."""
    chance = os.urandom(10).hex()
    stamp = f"{time.time_ns() // 1_000_000 & (1 << 48) - 1:012x}"
    variant = "89ab"[int(chance[3], 16) & 3]
    return f"{stamp[:8]}-{stamp[8:]}-7{chance[:3]}-{variant}{chance[4:7]}-{chance[8:]}"
