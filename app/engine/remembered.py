"""What a process reads once for all who ask, and remembers for a moment."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

AHEAD = 0.4
"""With this part of its time left, what is remembered is read anew while it still serves."""


class Remembered(Generic[T]):
    """The outcome of `read`, never older than `seconds`. Who asks while somebody reads waits for
    the same reading, and takes it from nobody by going away; a failure is told to all of them,
    and remembered by none.
    """

    def __init__(self, read: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._known: T | None = None
        self._until = 0.0
        self._reading: asyncio.Task[T] | None = None

    async def look(self) -> T:
        known = self.at_hand()
        return known if known is not None else await asyncio.shield(self._begin())

    def at_hand(self) -> T | None:
        """What is remembered, None where it would have to be read first."""
        left = self._until - time.monotonic()
        if self._known is None or left <= 0:
            return None
        if left < self._seconds * AHEAD:
            # Nobody waits for it: where many ask, the next is there when this is old.
            self._begin()
        return self._known

    def _begin(self) -> asyncio.Task[T]:
        """The reading that is under way, else a new one."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            # Old from before it was asked: what changes meanwhile must not be believed for longer.
            until = time.monotonic() + self._seconds
            self._reading.add_done_callback(lambda done: self._keep(done, until))
        return self._reading

    def forget(self) -> None:
        """Whoever asks from now on has it read anew, whatever is being read already."""
        self._known, self._reading = None, None

    def _keep(self, done: "asyncio.Task[T]", until: float) -> None:
        if done is not self._reading:
            # Forgotten meanwhile; its failure concerns those alone who waited for it.
            if not done.cancelled():
                done.exception()
            return
        self._reading = None
        if not done.cancelled() and done.exception() is None:
            self._known, self._until = done.result(), until
