"""Connections that end in the same instant are let go a few at a time.

The kernel ends peers that went silent in bunches, by the ticks of its timers. What each of them
leaves behind is unwound in the loop, a sixth of a millisecond each, and whoever stays would wait
for a hundred of them.
"""

import asyncio
from collections import deque
from collections.abc import Callable

_A_TURN = 4


class Partings:
    """Runs what unwinds a connection, a few in each turn of the loop, in the order they came."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy_in: asyncio.AbstractEventLoop | None = None

    def add(self, part: Callable[[], None]) -> None:
        """Run this soon. Only within a running loop."""
        loop = asyncio.get_running_loop()
        if self._busy_in is not loop:
            # What a loop left behind that has ended is nobody's any more.
            self._waiting.clear()
            self._busy_in = loop
            loop.call_soon(self._some, loop)
        self._waiting.append(part)

    def _some(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(min(_A_TURN, len(self._waiting))):
            # By itself: what it raises is the loop's to report, and keeps none of the others.
            loop.call_soon(self._waiting.popleft())
        if self._waiting:
            loop.call_soon(self._some, loop)
        else:
            self._busy_in = None
