"""A machine whose clock is not the database's is told of."""

import asyncio
from pathlib import Path

import pytest

from app.engine import oversight
from tests.world import World, open_world


async def rules(world: World) -> set[str]:
    async with world.database.connection() as connection:
        return {r["rule"] for r in await connection.fetch("SELECT rule FROM alerts")}


async def test_a_clock_that_is_away_from_the_database_s_is_told(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        await asyncio.sleep(0.7)
        assert "clock_drift" not in await rules(world)
        real = oversight.time.time
        monkeypatch.setattr(oversight.time, "time", lambda: real() + 0.4)
        monkeypatch.setattr(oversight, "LOOK_SECONDS", 0.1)
        async with asyncio.timeout(60):
            while "clock_drift" not in await rules(world):
                await asyncio.sleep(0.05)
