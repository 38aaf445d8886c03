"""Wake-up calls between processes. A missed one makes somebody late, never wrong.

NOTIFY takes a cluster-wide lock until its transaction ends, so it never rides in an order's
transaction: one task rings for everybody, with a pause in between, without a payload.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

import asyncpg

from app.failpoints import reach
from app.store.background import Background
from app.store.database import Connection, connect, unreachable

WORK = "slipstream_work"
"""Rung when a desk has something to look at."""

EVENTS = "slipstream_events"
"""Rung when there are new events to tell."""

_COALESCE_SECONDS = (0.005, 0.02)
_QUIET = 4
"""How much longer than the ring the pause after it: whoever hears it has as much to do, and where
processors are busy a ring takes longer. Within the bounds above, which are somebody's delay."""

_RECONNECT_SECONDS = 0.5


async def ring_once(connection: Connection, *bells: str) -> None:
    """Ring for somebody without a doorbell of its own. Never inside a transaction."""
    for bell in bells:
        await connection.execute(f"NOTIFY {bell}")


def _pause(took: float) -> float:
    """Seconds until the next ring, after one that took so long."""
    shortest, longest = _COALESCE_SECONDS
    return min(max(took * _QUIET, shortest), longest)


class Doorbell:
    """Rings and hears the bells on a connection of its own, reconnecting for ever."""

    def __init__(self, url: str, *, hears: tuple[str, ...]) -> None:
        self._url = url
        self._heard = {bell: asyncio.Event() for bell in hears}
        self._joined: dict[str, list[asyncio.Event]] = {bell: [] for bell in hears}
        self._pending: set[str] = set()
        self._ring = asyncio.Event()
        self.loop = Background(self._run, "doorbell")

    def start(self) -> None:
        self.loop.start()

    async def close(self) -> None:
        await self.loop.close()

    def ring(self, bell: str) -> None:
        """Ring soon; many rings make one."""
        self._pending.add(bell)
        self._ring.set()

    def heard(self, bell: str) -> asyncio.Event:
        """Set when the bell rang; whoever waits clears it."""
        return self._heard[bell]

    def join(self, bell: str, event: asyncio.Event) -> None:
        """Have `event` set as well whenever the bell rings, for one who waits for more than it."""
        self._joined[bell].append(event)

    async def wait(self, bell: str, *, at_most: float) -> None:
        """Wait for the bell, but look anyway after `at_most` seconds."""
        event = self._heard[bell]
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await event.wait()
        event.clear()

    async def _run(self) -> None:
        while True:
            try:
                await self._serve()
            except Exception as failure:
                # Anything else is a mistake of ours, and ends the process.
                if not unreachable(failure):
                    raise
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _serve(self) -> None:
        connection = await connect(self._url)
        # Who only listens would never notice that its connection died.
        connection.add_termination_listener(lambda _: self._ring.set())
        self._ring.set()  # For what could not be rung on the last connection.
        try:
            # A ring that a crash loses was for nobody: who listened has to connect anew and looks.
            await connection.execute("SET synchronous_commit = off")
            for bell in self._heard:
                await connection.add_listener(bell, self._hear)
                self._hear(connection, 0, bell, "")  # It may have rung while nobody listened.
            while not connection.is_closed():
                await self._ring.wait()
                self._ring.clear()
                began = time.monotonic()
                await self._ring_pending(connection)
                await asyncio.sleep(_pause(time.monotonic() - began))
        finally:
            connection.terminate()

    async def _ring_pending(self, connection: "asyncpg.Connection[Any]") -> None:
        bells, self._pending = self._pending, set()
        try:
            if bells:
                await connection.execute("; ".join(f"NOTIFY {bell}" for bell in sorted(bells)))
                reach("bell.rung")
        except BaseException:
            self._pending |= bells
            raise

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        for event in (self._heard[channel], *self._joined[channel]):
            event.set()
