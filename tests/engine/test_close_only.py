"""A switch that lets through what closes: after a loss a stop must not wait for a person."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.audit import audit
from app.domain.instant import MINUTE
from app.domain.refusal import Conflict
from app.engine import kill_switches
from app.engine.kill_switches import Level, Target
from app.engine.tripping import trip
from app.store import controls
from tests.engine.test_exits import held, offsets, until_exit
from tests.engine.test_tripping import LOST
from tests.reruns import watched
from tests.world import CALLER, World, open_world

ACCOUNT = Target(controls.Scope.ACCOUNT, "main")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened
        report = await audit(database_url, [tmp_path / "paper.sqlite3"])
        assert [(check.name, check.faults) for check in report.failed()] == []


async def throw(world: World, level: Level = Level.CLOSE_ONLY) -> None:
    await kill_switches.throw(world.service, CALLER, ACCOUNT, level, "drill")


async def test_what_closes_goes_on_and_nothing_else_does(world: World) -> None:
    await world.done(await world.order(qty="300", algo="market"))
    slow = await world.order(qty="3000", duration=60 * MINUTE, params={"slices": 60})
    await world.until(lambda row: row["filled"] > 0, slow)
    await throw(world)
    with pytest.raises(Conflict, match="drill"):
        await world.order(qty="10", algo="market")
    before = len(await world.children(slow))
    closing = await world.order(side="sell", qty="200", algo="market", reduce_only=True)
    assert (await world.done(closing))["filled"] == 200
    row = await world.row(slow)
    assert row["status"] == "working"
    assert len(await world.children(slow)) == before
    # One that halts everything halts this as well.
    await throw(world, Level.HALT)
    with pytest.raises(Conflict, match="drill"):
        await world.order(side="sell", qty="100", algo="market", reduce_only=True)
    await kill_switches.release(world.service, CALLER, ACCOUNT, "looked at")


async def test_under_a_switch_that_halts_nothing_closes(world: World) -> None:
    await world.done(await world.order(qty="300", algo="market"))
    slow = await world.order(
        side="sell", qty="300", reduce_only=True, duration=60 * MINUTE, params={"slices": 60}
    )
    await world.until(lambda row: row["filled"] > 0, slow)
    await throw(world, Level.HALT)
    before = len(await world.children(slow))
    await asyncio.sleep(2)
    assert len(await world.children(slow)) == before
    await kill_switches.release(world.service, CALLER, ACCOUNT, "looked at")
    await world.let_go(Decimal(0))
    await world.until(lambda row: row["filled"] > 200, slow)


async def test_a_stop_is_worked_after_the_daily_loss_is_reached(world: World) -> None:
    """The loss is what the stop is there to end."""
    entry = await world.order(qty="300", algo="market", bracket=offsets("50.00", "0.20"))
    await world.done(entry)
    await until_exit(world, entry, status="working")
    await world.hold()
    await trip(world.database, world.service.doorbell, LOST, "lost 2000", level=Level.CLOSE_ONLY)
    assert await held(world) == 300
    await world.let_go(Decimal(0))
    closed = await until_exit(world, entry, status="filled")
    assert closed["filled"] == 300
    assert await held(world) == 0
    async with world.database.connection() as connection:
        found = await controls.thrown(connection, accounts=["main"])
    assert [(switch.name, switch.level) for switch in found] == [("main", Level.CLOSE_ONLY)]
