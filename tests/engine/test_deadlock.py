"""A turn that the database ends, as it and somebody else waited for each other, is begun anew."""

import asyncio
from decimal import Decimal
from pathlib import Path

import asyncpg

from app.domain.instant import HOUR
from tests.world import World, open_world

# In an intent's transaction the row of the desk's lease is held.
WAITING = (
    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_xmin IS NOT NULL"
    " AND application_name = 'slipstream' AND datname = current_database()"
)


async def until_it_waits(world: World) -> None:
    async with asyncio.timeout(30), world.database.connection() as connection:
        while not await connection.fetch(WAITING):
            await asyncio.sleep(0.01)


async def test_a_worker_that_was_undone_for_a_circle_goes_on(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        order = await world.order(qty="100", algo="twap", duration=HOUR)
        holder = await asyncpg.connect(database_url)
        try:
            async with holder.transaction():
                await holder.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order)
                await world.let_go(speed=Decimal(10))
                await until_it_waits(world)
                # Who waits for longest looks first whether it waits in a circle: the worker.
                await holder.execute("UPDATE leases SET owner = owner WHERE name LIKE 'desk:%'")
        finally:
            await holder.close()
        other = await world.order(qty="10", algo="market")
        assert (await world.done(other, 30))["status"] == "filled"
