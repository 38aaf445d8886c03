"""One signal of a symbol after the other, over all processes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from app.domain.refusal import Unavailable
from app.store.database import Connection, Database
from app.store.signals import try_turn

AT_ONCE = 2
"""Each holds a connection while it waits for another one: of a pool of eight, no more than this."""

WAIT_SECONDS = 5.0
"""Longer than this nobody waits for another process, nor for the crowd before it in this one."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.002, 0.05


class Turns:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._permits = asyncio.Semaphore(AT_ONCE)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def here(self, account: str, symbol: str) -> AsyncIterator[None]:
        """Nobody else in this process is at a signal of this account and symbol. Asked for
        first, so that a crowd waits here and not for the database. Raises Unavailable."""
        lock = self._locks.setdefault((account, symbol), asyncio.Lock())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await lock.acquire()
        except TimeoutError:
            raise _busy(symbol) from None
        try:
            yield
        finally:
            lock.release()

    @asynccontextmanager
    async def everywhere(self, account: str, symbol: str) -> AsyncIterator[Connection]:
        """Nor in any other process. The connection is for reading: it is in no transaction.

        Raises Unavailable where another process stays at one for too long. Who waits holds
        neither permit nor connection: a process that stands still in the midst of a decision
        stops the signals of that symbol, and no others.
        """
        until = time.monotonic() + WAIT_SECONDS
        pause = FIRST_PAUSE_SECONDS
        while True:
            async with (
                self._permits,
                self._database.connection() as connection,
                try_turn(connection, account, symbol) as held,
            ):
                if held:
                    yield connection
                    return
            if time.monotonic() > until:
                raise _busy(symbol)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _busy(symbol: str) -> Unavailable:
    return Unavailable(
        "signals_busy", f"another signal of {symbol} is being decided on; send this one again"
    )
