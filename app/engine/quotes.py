"""The market as an arriving order finds it; a symbol nobody watches is asked of the feed."""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.admission import Scene
from app.domain.refusal import Refusal, Unavailable
from app.store import market_state
from app.store.database import Database
from app.store.doorbell import WORK
from app.store.market_state import ClockRow, Told

if TYPE_CHECKING:
    from app.engine.service import Service

ANSWER_SECONDS = 10.0
"""A feed may have to read a large file before it knows a symbol."""

SILENCE_SECONDS = 3.0
"""A worker that has not told market time for this long will not answer either."""

REMEMBER_SECONDS = 0.05
"""As often as the market is told; reading it more often for every order would find the same."""

_LOOK_SECONDS = 0.02
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


async def scene_for(service: "Service", symbol: str) -> Scene:
    """What is known of `symbol` now.

    Raises Refusal for a symbol the feed does not know, Unavailable when no worker is there or it
    does not answer in time.
    """
    told, clock = await _told(service, symbol)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    # Without a worker the quotes stand still and nobody would work the order.
    if clock.age_seconds > SILENCE_SECONDS:
        raise Unavailable(
            "no_market_time",
            f"the market time was told {clock.age_seconds:.0f} s ago: is a worker running?",
        )
    return Scene(
        instrument=told.instrument,
        sessions=told.sessions,
        curve=told.curve,
        quote=told.quote,
        last=told.last,
        last_at=told.last_at,
        daily_volume=told.daily_volume,
        now=clock.now,
    )


async def _told(service: "Service", symbol: str) -> tuple[Told, ClockRow | None]:
    asked = False
    begun = time.monotonic()
    while True:
        read = await service.quotes.look(service.database, symbol)
        told, clock = read.told, read.clock
        if isinstance(told, Told):
            return told, clock
        if not asked:
            async with service.database.connection() as connection:
                await market_state.ask(connection, symbol)
            asked = True
        elif isinstance(told, str):
            raise Refusal("unknown_symbol", told, field="symbol")
        waited = time.monotonic() - begun
        silent = clock is None or clock.age_seconds > SILENCE_SECONDS
        if waited > ANSWER_SECONDS or (silent and waited > SILENCE_SECONDS):
            raise Unavailable(
                "no_market_data",
                f"no feed answered for {symbol} within {waited:.0f} s: is a worker running?",
                field="symbol",
            )
        service.doorbell.ring(WORK)
        await asyncio.sleep(_LOOK_SECONDS)
