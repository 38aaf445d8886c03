"""Makes the decisions of a house again, and counts them."""

import asyncio
from collections import Counter
from contextlib import suppress

from app.domain.refusal import Unavailable
from app.engine.rerunning import Verdict, verify
from app.store import decisions
from app.store.decisions import Told
from tests.world import World


async def watched(world: World, symbol: str = "ACME") -> None:
    """Wait until the feed answers, however busy the machine is."""
    async with asyncio.timeout(60):
        while True:
            with suppress(Unavailable):
                return await world.watch(symbol)


async def history(world: World, order_id: str) -> list[Told]:
    row = await world.row(order_id)
    async with world.database.connection() as connection:
        return list(await decisions.history(connection, row))


async def verdicts(world: World, order_id: str) -> list[Verdict]:
    return list(verify(await world.row(order_id), await history(world, order_id)))


async def equal(world: World, *order_ids: str) -> Counter[str]:
    """Every decision came out the same; how many there were, by what they did."""
    done: Counter[str] = Counter()
    for order_id in order_ids:
        # Read once: an order that still rests goes on deciding.
        told = await history(world, order_id)
        found = list(verify(await world.row(order_id), told))
        assert [v for v in found if v.equal is not True] == []
        decided = [event.type for event in told if event.decides]
        assert len(found) == len(decided) > 0
        done += Counter(decided)
    return done


def saw(told: list[Told], type: str) -> list[Told]:
    """The decisions that begin with an event of this type."""
    return [event for event in told if event.decides and event.type == type]
