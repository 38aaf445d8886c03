"""A clock that nobody sets: how much time has passed on this machine, also while it slept."""

import time
from collections.abc import Callable

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)
"""The usual monotonic clock stands still while the machine is suspended; leases do not."""


def _boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


steady: Callable[[], float] = time.monotonic if _BOOT is None else _boot
"""Seconds since some moment in the past; never backwards."""
