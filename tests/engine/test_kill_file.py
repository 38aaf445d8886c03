"""The kill file: nothing new leaves while it is there, with the database dead or alive."""

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from app.engine import commands, halting, kill_switches
from app.engine.kill_file import KillFile
from app.engine.kill_switches import Level, Scope, Target
from app.store.database import Database
from tests.reruns import watched
from tests.world import CALLER, World, open_world

EVERYTHING = Target(Scope.ALL, "*")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def thrown(world: World) -> list[tuple[str, str, str]]:
    found = await kill_switches.switches(world.service, CALLER)
    return [(t.switch.scope.value, t.switch.level.value, t.switch.reason) for t in found]


async def until_thrown(world: World, level: str) -> None:
    async with asyncio.timeout(30):
        while [t[1] for t in await thrown(world)] != [level]:
            await asyncio.sleep(0.01)


async def resting(world: World) -> str:
    order_id = await world.order(qty="300", algo="limit", limit_price="97.00")
    async with asyncio.timeout(30):
        while [c["status"] for c in await world.children(order_id)] != ["working"]:
            await asyncio.sleep(0.01)
    return order_id


async def test_it_stops_everything_and_its_switch_outlives_it(world: World, tmp_path: Path) -> None:
    order_id = await resting(world)
    begun = time.monotonic()
    (tmp_path / "KILL").touch()
    assert (await world.done(order_id))["reason"] == "kill_switch:all:*"
    assert time.monotonic() - begun < 15
    assert await thrown(world) == [("all", "cancel", "kill file")]
    (tmp_path / "KILL").unlink()
    await asyncio.sleep(0.4)
    assert await thrown(world) == [("all", "cancel", "kill file")]
    released = await kill_switches.release(world.service, CALLER, EVERYTHING, "over")
    assert ["a kill file threw it" in cause for cause in released.causes] == [True]
    again = await world.order(qty="100", algo="market")
    assert (await world.done(again))["status"] == "filled"


@pytest.mark.parametrize(
    ("words", "level"), [("halt\n", "halt"), ("FLATTEN", "flatten"), ("stop!", "cancel")]
)
async def test_its_content_names_the_level(
    world: World, tmp_path: Path, words: str, level: str
) -> None:
    await world.done(await world.order(qty="200", algo="market"))
    (tmp_path / "KILL").write_text(words)
    await until_thrown(world, level)
    if level == "flatten":
        async with asyncio.timeout(20), world.database.connection() as connection:
            while await connection.fetchval("SELECT qty FROM positions"):
                await asyncio.sleep(0.02)


async def test_a_higher_level_rises_and_a_humans_reason_stays(world: World, tmp_path: Path) -> None:
    await kill_switches.throw(world.service, CALLER, EVERYTHING, Level.CANCEL, "news")
    (tmp_path / "KILL").write_text("halt")
    await asyncio.sleep(0.4)
    assert await thrown(world) == [("all", "cancel", "news")]
    (tmp_path / "KILL").write_text("flatten")
    await until_thrown(world, "flatten")


async def test_released_while_it_is_there_it_is_thrown_again(world: World, tmp_path: Path) -> None:
    (tmp_path / "KILL").touch()
    await until_thrown(world, "cancel")
    await kill_switches.release(world.service, CALLER, EVERYTHING, "too early")
    await until_thrown(world, "cancel")


async def test_a_start_with_it_sends_nothing(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "KILL").write_text("halt")
    async with open_world(database_url, tmp_path) as world:
        await watched(world)
        await until_thrown(world, "halt")
        await world.let_go(Decimal(60))
        async with world.database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM children") == 0


async def test_what_is_committed_and_not_yet_sent_stays_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the intent's commit and the socket: the last look is the one that counts."""
    async with asyncio.timeout(30):
        while "main" not in world.worker.desks:
            await asyncio.sleep(0.01)
    desk = world.worker.desks["main"]
    send = desk._sender.send

    def late(*arguments: object, **options: object) -> None:
        (tmp_path / "KILL").touch()
        send(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(desk._sender, "send", late)
    order_id = await world.order(qty="300", algo="market")
    row = await world.done(order_id)
    [child] = await world.children(order_id)
    assert (row["filled"], child["status"], child["reason"]) == (0, "rejected", "not_sent")


async def test_with_the_database_dead_what_is_known_is_canceled(
    world: World, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resting(world)
    broker = world.worker.desks["main"].broker

    async def dead(*_: object) -> None:
        raise asyncpg.CannotConnectNowError("the database is dead")

    monkeypatch.setattr(Database, "answers", dead)
    world.worker._lost.add("desk:main")
    await asyncio.sleep(0.7)
    assert "main" in world.worker.desks, "what is open must not be forgotten"
    assert len(await broker.open_orders()) == 1
    asked: list[str] = []
    cancel = broker.cancel

    async def counted(child_id: str, at: int) -> None:
        asked.append(child_id)
        await cancel(child_id, at)

    monkeypatch.setattr(broker, "cancel", counted)
    begun = time.monotonic()
    (tmp_path / "KILL").touch()
    async with asyncio.timeout(30):
        while not asked:
            await asyncio.sleep(0.01)
    assert time.monotonic() - begun < 10
    await asyncio.sleep(0.5)
    assert len(asked) == 1
    (tmp_path / "KILL").unlink()
    monkeypatch.undo()


@pytest.mark.parametrize("asked_before", [False, True])
async def test_with_the_database_dead_a_cancel_that_failed_is_asked_for_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_before: bool
) -> None:
    monkeypatch.setattr(halting, "AGAIN_SECONDS", 0.5)
    order_id = await resting(world)
    broker = world.worker.desks["main"].broker
    asked: list[float] = []
    cancel = broker.cancel

    async def fails_twice(child_id: str, at: int) -> None:
        asked.append(time.monotonic())
        if len(asked) <= 2:
            raise ConnectionError("no answer within 10000 ms")
        await cancel(child_id, at)

    async def dead(*_: object) -> None:
        raise asyncpg.CannotConnectNowError("the database is dead")

    monkeypatch.setattr(broker, "cancel", fails_twice)
    if asked_before:
        await commands.cancel(world.service, CALLER, order_id)
        async with asyncio.timeout(5):
            while not asked:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
    monkeypatch.setattr(Database, "answers", dead)
    world.worker._lost.add("desk:main")
    (tmp_path / "KILL").touch()
    async with asyncio.timeout(10):
        while len(asked) < 3:
            await asyncio.sleep(0.01)
    assert asked[2] - asked[1] > 0.4
    (tmp_path / "KILL").unlink()
    monkeypatch.undo()
    assert (await world.done(order_id))["status"] == "canceled"


def test_what_cannot_be_looked_at_is_taken_for_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = KillFile(tmp_path / "KILL")
    assert (file.there, file.level) == (False, None)
    assert not KillFile(tmp_path / "KILL" / "under").there
    (tmp_path / "KILL").mkdir()
    assert (file.there, file.level) == (True, Level.CANCEL)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert KillFile(loop).there
