"""What the owner of the feed tells, read for everybody at once and remembered for a moment."""

import asyncio
import math
import time
from dataclasses import dataclass

from app.domain.scene import Scene
from app.engine.remembered import AHEAD
from app.store import market_state, watched
from app.store.database import Database
from app.store.market_state import ClockRow
from app.store.watched import Told

REMEMBER_SECONDS = 0.05
"""As often as the market is told; reading it more often for every order would find the same."""

_REMEMBERED_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Read:
    """What was told of a symbol, and market time with it, read together at `at` (monotonic)."""

    told: Told | str | None
    clock: ClockRow | None
    at: float
    scene: Scene | None
    """The same, as an order meets it; None while one of them is missing."""

    @property
    def clock_age(self) -> float:
        """Seconds since market time was told, as of now; without end where it never was."""
        if self.clock is None:
            return math.inf
        return self.clock.age_seconds + time.monotonic() - self.at


class Quotes:
    """Reads what the owner of the feed tells, at most once in `remember` seconds a symbol."""

    def __init__(self, remember: float = REMEMBER_SECONDS) -> None:
        self._remember = remember
        self._read: dict[str, Read] = {}
        self._reading: dict[str, asyncio.Task[Read]] = {}

    async def look(self, database: Database, symbol: str) -> Read:
        """What is told of `symbol`, never older than `remember` seconds."""
        known = self._read.get(symbol)
        age = math.inf if known is None else time.monotonic() - known.at
        if known is None or age >= self._remember:
            return await self._shared(database, symbol)
        if age >= self._remember * (1 - AHEAD):
            # Nobody waits for it: where many ask, what comes next is there when this is old.
            self._begin(database, symbol)
        return known

    async def _shared(self, database: Database, symbol: str) -> Read:
        """One reading for all who ask meanwhile; one who goes away takes it from nobody."""
        if self._remember <= 0:
            return await _read(database, symbol)
        return await asyncio.shield(self._begin(database, symbol))

    def _begin(self, database: Database, symbol: str) -> asyncio.Task[Read]:
        """The reading of a symbol that is under way, else a new one."""
        reading = self._reading.get(symbol)
        if reading is None:
            before = self._read.get(symbol)
            reading = asyncio.create_task(
                _read(database, symbol, before.told if before is not None else None),
                name=f"read {symbol}",
            )
            self._reading[symbol] = reading
            reading.add_done_callback(lambda done: self._keep(symbol, done))
        return reading

    def _keep(self, symbol: str, done: "asyncio.Task[Read]") -> None:
        del self._reading[symbol]
        if done.cancelled() or done.exception() is not None:
            return
        # Only what is there is remembered: what is missing is looked for until it comes.
        if isinstance(done.result().told, Told):
            if len(self._read) >= _REMEMBERED_MAX:
                self._read.clear()
            self._read[symbol] = done.result()


async def _read(database: Database, symbol: str, before: Told | str | None = None) -> Read:
    # From before it is asked, and the clock before the quotes: what is told in between makes
    # them younger, never older.
    at = time.monotonic()
    async with database.connection() as connection:
        clock = await market_state.clock(connection)
        known = before if isinstance(before, Told) else None
        told = await watched.told(connection, symbol, known)
    return Read(told, clock, at, _scene(told, clock))


def _scene(told: Told | str | None, clock: ClockRow | None) -> Scene | None:
    if clock is None or not isinstance(told, Told):
        return None
    return Scene(
        instrument=told.instrument,
        sessions=told.sessions,
        curve=told.curve,
        quote=told.quote,
        last=told.last,
        last_at=told.last_at,
        daily_volume=told.daily_volume,
        now=clock.now,
        volatility=told.volatility,
        flow=told.flow,
        regime=told.regime,
        days=told.days,
    )
