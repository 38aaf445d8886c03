"""The market as an arriving order finds it; a symbol nobody watches is asked of the feed."""

import asyncio
import time

from app.domain.admission import Scene
from app.domain.refusal import Refusal, Unavailable
from app.engine.service import Service
from app.store import market_state
from app.store.doorbell import WORK
from app.store.market_state import Told

ASK_SECONDS = 1.0
_LOOK_SECONDS = 0.02

CLOCK_AGE_MAX_SECONDS = 30.0


async def scene_for(service: Service, symbol: str) -> Scene:
    """What is known of `symbol` now.

    Raises Refusal for a symbol the feed does not know, Unavailable when nobody answers within
    a second.
    """
    told = await _told(service, symbol)
    async with service.database.connection() as connection:
        clock = await market_state.clock(connection)
    if clock is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    return Scene(
        instrument=told.instrument,
        sessions=told.sessions,
        curve=told.curve,
        quote=told.quote,
        last=told.last,
        daily_volume=told.daily_volume,
        now=clock.now,
    )


async def _told(service: Service, symbol: str) -> Told:
    asked = False
    deadline = time.monotonic() + ASK_SECONDS
    while True:
        async with service.database.connection() as connection:
            told = await market_state.told(connection, symbol)
            if isinstance(told, Told):
                return told
            if not asked:
                await market_state.ask(connection, symbol)
                asked = True
            elif isinstance(told, str):
                raise Refusal("unknown_symbol", told, field="symbol")
        if time.monotonic() > deadline:
            raise Unavailable(
                "no_market_data",
                f"no feed answered for {symbol} within {ASK_SECONDS:g} s: is a worker running?",
                field="symbol",
            )
        service.doorbell.ring(WORK)
        await asyncio.sleep(_LOOK_SECONDS)
