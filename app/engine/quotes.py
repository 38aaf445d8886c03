"""The market as an arriving order finds it; a symbol nobody watches is asked of the feed."""

import asyncio
import time

from app.domain.refusal import Refusal, Unavailable
from app.domain.scene import Scene
from app.engine.service import Service
from app.engine.told import Read
from app.store import flow_state, market_state
from app.store.doorbell import WORK
from app.store.watched import Told

ANSWER_SECONDS = 10.0
"""A feed may have to read a large file before it knows a symbol."""

SILENCE_SECONDS = 3.0
"""A worker that has not told market time for this long will not answer either."""

LEANING_SECONDS = 1.0
ASK_AGAIN_SECONDS = 600.0

_LOOK_SECONDS = 0.02


async def scene_for(service: Service, symbol: str) -> Scene:
    """What is known of `symbol` now.

    Raises Refusal for a symbol the feed does not know, Unavailable when no worker is there or it
    does not answer in time.
    """
    read = await _told(service, symbol)
    if read.scene is None:
        raise Unavailable("no_market_time", "no worker has told the market time yet")
    # Without a worker the quotes stand still and nobody would work the order.
    age = read.clock_age
    if age > SILENCE_SECONDS:
        raise Unavailable(
            "no_market_time", f"the market time was told {age:.0f} s ago: is a worker running?"
        )
    return read.scene


async def leaning_scene(service: Service, symbol: str) -> Scene:
    """The same with order flow and regime, as far as they are known. Who asks first for a long
    time waits a moment for them; what does not come by then is not there.

    Raises as `scene_for`.
    """
    scene = await scene_for(service, symbol)
    read = await service.quotes.look(service.database, symbol)
    asked = read.told.flow_asked_seconds if isinstance(read.told, Told) else None
    if asked is not None and asked < ASK_AGAIN_SECONDS:
        return scene
    async with service.database.connection() as connection:
        await flow_state.ask(connection, symbol)
    if asked is not None and asked < flow_state.ASKED_SECONDS:
        return scene
    earlier = scene.flow
    begun = time.monotonic()
    while time.monotonic() - begun < LEANING_SECONDS:
        if scene.flow != earlier and scene.regime is not None:
            break
        await asyncio.sleep(_LOOK_SECONDS)
        scene = await scene_for(service, symbol)
    return scene


async def _told(service: Service, symbol: str) -> Read:
    """What was told of a symbol, a `Told`."""
    asked = False
    begun = time.monotonic()
    while True:
        read = await service.quotes.look(service.database, symbol)
        if isinstance(read.told, Told):
            return read
        if not asked:
            async with service.database.connection() as connection:
                await market_state.ask(connection, symbol)
            asked = True
        elif isinstance(read.told, str):
            raise Refusal("unknown_symbol", read.told, field="symbol")
        waited = time.monotonic() - begun
        silent = read.clock_age > SILENCE_SECONDS
        if waited > ANSWER_SECONDS or (silent and waited > SILENCE_SECONDS):
            raise Unavailable(
                "no_market_data",
                f"no feed answered for {symbol} within {waited:.0f} s: is a worker running?",
                field="symbol",
            )
        service.doorbell.ring(WORK)
        await asyncio.sleep(_LOOK_SECONDS)
