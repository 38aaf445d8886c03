"""A switch that is being thrown while a desk decides: nothing leaves before the intent stands."""

import asyncio
import sqlite3
from pathlib import Path

from app.store import controls
from app.store.controls import Level, Scope
from tests.world import World, open_world


def at_venue(folder: Path) -> int:
    with sqlite3.connect(folder / "paper.sqlite3") as connection:
        found: tuple[int] = connection.execute("SELECT count(*) FROM orders").fetchone()
    return found[0]


async def waits_for_a_lock(world: World) -> None:
    async with asyncio.timeout(30), world.database.connection() as connection:
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)


async def test_nothing_is_sent_while_its_intent_waits(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        async with world.database.transaction() as connection:
            await controls.throw(
                connection,
                scope=Scope.SYMBOL,
                name="ACME",
                level=Level.HALT,
                reason="drill",
                by="test",
            )
            order_id = await world.order(qty="500", algo="market")
            await world.let_go()
            await waits_for_a_lock(world)
            await asyncio.sleep(0.2)
            assert at_venue(tmp_path) == 0
        await asyncio.sleep(0.5)
        assert at_venue(tmp_path) == 0
        assert await world.children(order_id) == []
