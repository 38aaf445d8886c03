"""The market as an arriving order finds it; a symbol nobody watches is asked of the feed."""

import asyncio
import time

from app.domain.admission import Scene
from app.domain.refusal import Refusal, Unavailable
from app.engine.service import Service
from app.store import market_state
from app.store.doorbell import WORK
from app.store.market_state import ClockRow, Told

ANSWER_SECONDS = 10.0
"""A feed may have to read a large file before it knows a symbol."""

SILENCE_SECONDS = 3.0
"""A worker that has not told market time for this long will not answer either."""

_LOOK_SECONDS = 0.02


async def scene_for(service: Service, symbol: str) -> Scene:
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


async def _told(service: Service, symbol: str) -> tuple[Told, ClockRow | None]:
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
