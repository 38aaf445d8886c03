"""What the market traded is written beside the order path, which waits for none of it."""

import asyncio
from decimal import Decimal
from pathlib import Path

import asyncpg

from app.domain.instant import HOUR
from tests.world import World, open_world

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND query LIKE '%market_volume%' AND datname = current_database()"
)


async def until_it_rests(world: World, order_id: str) -> None:
    """All is told of its child: the order path has nothing more to write of it."""
    async with asyncio.timeout(30):
        while [child["status"] for child in await world.children(order_id)] != ["working"]:
            await asyncio.sleep(0.02)


async def until_it_waits(world: World) -> None:
    async with asyncio.timeout(30):
        while not await waits(world):
            if world.task.done():
                world.task.result()
            await asyncio.sleep(0.02)


async def waits(world: World) -> bool:
    async with world.database.connection() as connection:
        return bool(await connection.fetchval(WAITING))


async def test_an_order_that_cannot_be_measured_now_holds_up_no_other(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        rests = await world.order(qty="100", algo="limit", limit_price="90", duration=HOUR)
        await world.let_go(speed=Decimal(10))
        await until_it_rests(world, rests)
        holder = await asyncpg.connect(database_url)
        try:
            async with holder.transaction():
                await holder.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", rests)
                await until_it_waits(world)
                other = await world.order(qty="100", algo="market")
                assert (await world.done(other, 20))["status"] == "filled"
                assert await waits(world)
        finally:
            await holder.close()
        measured = (await world.row(rests))["measured_to"]
        await world.until(lambda row: row["measured_to"] > measured, rests)
