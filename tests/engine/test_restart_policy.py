"""What was accepted while nobody was there was never left alone: no restart policy concerns it."""

import asyncio
from pathlib import Path

from app.domain.task import OnRestart
from tests.world import open_world


async def test_an_order_entered_without_a_worker_is_worked_by_the_next(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        async with asyncio.timeout(60):
            while not world.worker.desks:
                await asyncio.sleep(0.01)
        await world.kill_worker()
        order_id = await world.order(qty="500", algo="market", on_restart=OnRestart.CANCEL)
        async with world.database.connection() as connection:
            await connection.execute(
                "UPDATE leases SET until = clock_timestamp() - interval '2 minutes'"
            )
        await world.let_go()
        world.revive()
        row = await world.done(order_id)
        assert (row["status"], row["filled"]) == ("filled", 500)
