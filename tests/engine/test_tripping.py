"""A limit that trips, and the kill file, are told as alerts: once a throw."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE
from app.domain.risk.bound import Bound
from app.domain.risk.limit import LIMITS, Scope
from app.engine import kill_file, kill_switches, limits
from app.engine.kill_switches import Level, Target
from app.engine.limits import Numbers
from app.engine.tripping import trip
from app.store import controls
from tests.world import CALLER, World, open_world

LOST = Bound(LIMITS["max_daily_loss"], Scope.ACCOUNT, "main", hard=Decimal(1000))


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await opened.watch("ACME")
        yield opened


async def alerts_of(world: World, rule: str) -> list[dict[str, Any]]:
    async with world.database.connection() as connection:
        found = await connection.fetch(
            "SELECT account, severity, count, data FROM alerts WHERE rule = $1 ORDER BY raised_at",
            rule,
        )
    return [dict(row) for row in found]


async def told(world: World) -> int:
    async with world.database.connection() as connection:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM events WHERE type = 'alert.raised'"
        )
    return count


async def test_too_many_children_are_told(world: World) -> None:
    wanted = limits.Target(Scope.STRATEGY, "fast", "max_children_1m")
    await limits.change(world.service, CALLER, wanted, Numbers(Decimal(3), reason="drill"))
    await world.order(
        qty="3000",
        duration=5 * MINUTE,
        strategy="fast",
        params={"slices": 150, "jitter": 0, "placement": "cross"},
    )
    await world.let_go(Decimal(60))
    async with asyncio.timeout(60):
        while not (found := await alerts_of(world, "limit_broken")):
            await asyncio.sleep(0.02)
    [alert] = found
    assert (alert["account"], alert["severity"], alert["count"]) == ("*", "critical", 1)
    assert alert["data"] == {
        "limit": "max_children_1m",
        "limit_value": "3",
        "found": alert["data"]["found"],
        "scope": "strategy",
        "name": "fast",
        "switch": "1",
    }
    assert "more children" in alert["data"]["found"]


async def test_whoever_trips_it_first_tells_it_and_each_throw_is_told(world: World) -> None:
    async def tripped(said: str) -> None:
        await trip(world.database, world.service.doorbell, LOST, said)

    await asyncio.gather(*(tripped(f"lost {n}") for n in range(1001, 1006)))
    [alert] = await alerts_of(world, "limit_broken")
    assert (alert["account"], alert["count"]) == ("main", 1)
    assert (alert["data"]["limit_value"], alert["data"]["switch"]) == ("1000", "1")
    assert await told(world) == 1
    target = Target(controls.Scope.ACCOUNT, "main")
    await kill_switches.release(world.service, CALLER, target, "looked at")
    await tripped("lost 2000")
    assert [a["data"]["found"] for a in await alerts_of(world, "limit_broken")][1:] == ["lost 2000"]
    assert await told(world) == 2


async def test_the_kill_file_is_told_once_a_level(world: World) -> None:
    async def found(level: Level) -> None:
        await kill_file.throw_for(world.database, world.service.doorbell, level)

    await asyncio.gather(*(found(Level.HALT) for _ in range(3)))
    [alert] = await alerts_of(world, "kill_file")
    assert (alert["account"], alert["severity"], alert["count"]) == ("*", "critical", 1)
    assert (alert["data"]["level"], alert["data"]["scope"]) == ("halt", "all")
    await found(Level.CANCEL)
    await found(Level.HALT)
    levels = [a["data"]["level"] for a in await alerts_of(world, "kill_file")]
    assert levels == ["halt", "cancel"]
