"""What the owner of the feed tells, read for everybody at once and remembered for a moment."""

import asyncio
import time
from dataclasses import dataclass, replace

from app.store import market_state
from app.store.database import Database
from app.store.market_state import ClockRow, Told

REMEMBER_SECONDS = 0.05
"""As often as the market is told; reading it more often for every order would find the same."""

_REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Read:
    """What was told of a symbol, and market time with it, read together at `at` (monotonic)."""

    told: Told | str | None
    clock: ClockRow | None
    at: float

    def aged(self) -> "Read":
        """As it is now: the clock has grown older since it was read."""
        if self.clock is None:
            return self
        age = self.clock.age_seconds + time.monotonic() - self.at
        return replace(self, clock=replace(self.clock, age_seconds=age))


class Quotes:
    """Reads what the owner of the feed tells, at most once in `remember` seconds a symbol."""

    def __init__(self, remember: float = REMEMBER_SECONDS) -> None:
        self._remember = remember
        self._read: dict[str, Read] = {}
        self._reading: dict[str, asyncio.Task[Read]] = {}

    async def look(self, database: Database, symbol: str) -> Read:
        """What is told of `symbol`, never older than `remember` seconds."""
        known = self._read.get(symbol)
        if known is None or time.monotonic() - known.at >= self._remember:
            known = await self._shared(database, symbol)
        return known.aged()

    async def _shared(self, database: Database, symbol: str) -> Read:
        """One reading for all who ask meanwhile; one who goes away takes it from nobody."""
        if self._remember <= 0:
            return await _read(database, symbol)
        reading = self._reading.get(symbol)
        if reading is None:
            reading = asyncio.create_task(_read(database, symbol), name=f"read {symbol}")
            self._reading[symbol] = reading
            reading.add_done_callback(lambda done: self._keep(symbol, done))
        return await asyncio.shield(reading)

    def _keep(self, symbol: str, done: "asyncio.Task[Read]") -> None:
        del self._reading[symbol]
        if done.cancelled() or done.exception() is not None:
            return
        # Only what is there is remembered: what is missing is looked for until it comes.
        if isinstance(done.result().told, Told):
            if len(self._read) >= _REMEMBERED_MAX:
                self._read.clear()
            self._read[symbol] = done.result()


async def _read(database: Database, symbol: str) -> Read:
    # From before it is asked, and the clock before the quotes: what is told in between makes
    # them younger, never older.
    at = time.monotonic()
    async with database.connection() as connection:
        clock = await market_state.clock(connection)
        return Read(await market_state.told(connection, symbol), clock, at)
