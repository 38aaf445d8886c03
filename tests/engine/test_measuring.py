"""What the market traded is written beside the order path, which waits for none of it."""

import asyncio
from decimal import Decimal
from pathlib import Path

import asyncpg

from app.domain.instant import HOUR, MINUTE
from tests.world import World, open_world

HOLD = "SELECT measured_to FROM orders WHERE id = $1 FOR UPDATE"


async def until_it_rests(world: World, order_id: str) -> None:
    """All is told of its child: the order path has nothing more to write of it."""
    async with asyncio.timeout(30):
        while [child["status"] for child in await world.children(order_id)] != ["working"]:
            await asyncio.sleep(0.02)


async def test_orders_that_are_measured_together_with_one_that_is_held_go_on(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        works = await world.order(qty="100", algo="twap", duration=5 * MINUTE)
        rests = await world.order(qty="100", algo="limit", limit_price="90", duration=HOUR)
        await world.let_go(speed=Decimal(10))
        await until_it_rests(world, rests)
        await world.until(lambda row: row["measured_to"] is not None, rests)
        holder = await asyncpg.connect(database_url)
        try:
            async with holder.transaction():
                await holder.fetchval(HOLD, rests)
                held = (await world.row(rests))["measured_to"]
                # Its own last measure, at its end, would show nothing.
                row = await world.until(lambda row: row["measured_to"] > held, works, 15)
                assert row["status"] == "working"
                await world.until(lambda later: later["filled"] > row["filled"], works, 15)
                assert (await world.row(rests))["measured_to"] == held
        finally:
            await holder.close()
        await world.until(lambda row: row["measured_to"] > held, rests, 20)
