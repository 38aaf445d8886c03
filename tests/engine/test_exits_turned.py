"""Brackets where something turns out otherwise: void fills, halts, a stop before a death."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import Instant
from app.engine import kill_switches
from app.engine.kill_switches import Level, Scope, Target
from app.ports import BustReport
from app.store import exits as store
from tests.engine.test_exits import alerted, books_are_right, exits, held, offsets, until_exit
from tests.reruns import watched
from tests.world import CALLER, World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def bust(world: World, execution_id: str, child_id: str) -> None:
    desk = world.worker.desks["main"]
    now = world.worker.market.clock.now()
    await desk._books.book([BustReport(child_id, execution_id, now, "error")], now)


async def test_a_void_fill_of_the_entry_makes_the_exit_smaller(world: World) -> None:
    """Beside 500 held otherwise, so that the position alone would not call it back."""
    await world.done(await world.order(qty="500", algo="market"))
    entry = await world.order(
        qty="300", algo="market", params={"max_child": 100}, bracket=offsets("40.00", "20.00")
    )
    await world.done(entry)
    await until_exit(world, entry, qty=300, working=300)
    fills = await world.fills(entry)
    gone = fills[-1]
    await bust(world, gone["execution_id"], gone["child_id"])
    left = 300 - Decimal(gone["qty"])
    exit_order = await until_exit(world, entry, qty=left, working=left)
    assert len(await exits(world, entry)) == 1
    for fill in fills[:-1]:
        await bust(world, fill["execution_id"], fill["child_id"])
    exit_order = await until_exit(world, entry, status="canceled")
    assert (exit_order["reason"], exit_order["filled"]) == ("nothing_to_exit", 0)
    assert await held(world) == 500


async def test_under_a_halt_the_exit_is_entered_and_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, blind = store.due, True

    async def unseen(connection: Any, **arguments: Any) -> dict[str, str]:
        return {} if blind else await due(connection, **arguments)

    monkeypatch.setattr(store, "due", unseen)
    entry = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    await world.done(entry)
    target = Target(Scope.SYMBOL, "ACME")
    await kill_switches.throw(world.service, CALLER, target, Level.HALT, "drill")
    blind = False
    exit_order = await until_exit(world, entry, status="working")
    await asyncio.sleep(0.3)
    assert await world.children(exit_order["id"]) == []
    await kill_switches.release(world.service, CALLER, target, "over")
    await until_exit(world, entry, working=100)
    await books_are_right(world)


async def test_the_feed_is_asked_before_anything_is_locked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit's symbol may have to be watched first, and a feed takes its time."""
    market, asked = world.worker.market, []
    need = market.need

    async def needed(symbol: str, since: Instant, extended_hours: bool = False) -> None:
        async with world.database.transaction() as connection:
            entries = "SELECT id FROM orders WHERE role = 'entry' FOR UPDATE SKIP LOCKED"
            free = len(await connection.fetch(entries))
            there = await connection.fetchval("SELECT count(*) FROM orders WHERE role = 'entry'")
        asked.append((free, there))
        await need(symbol, since, extended_hours)

    monkeypatch.setattr(market, "need", needed)
    entry = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    await until_exit(world, entry, working=100)
    assert (1, 1) in asked
    assert all(free == there for free, there in asked), asked


async def test_a_group_that_cannot_be_kept_is_told_and_ends_no_other(world: World) -> None:
    broken = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    await until_exit(world, broken, working=100)
    async with world.database.connection() as connection:
        await connection.execute("UPDATE orders SET bracket = '{}' WHERE id = $1", broken)
        await connection.execute("UPDATE orders SET exits_due = true WHERE id = $1", broken)
    entry = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    await until_exit(world, entry, working=100)
    async with asyncio.timeout(60):
        while "no_exit" not in (told := await alerted(world)):
            await asyncio.sleep(0.01)
    assert "KeyError" in told["no_exit"]


async def test_a_stop_outlives_a_death(world: World) -> None:
    """Hit and written down, and the worker dies before anything crossed: the next one crosses,
    wherever the price is by then."""
    entry = await world.order(
        side="sell", qty="100", algo="market", bracket=offsets("50.00", "20.00")
    )
    exit_order = await until_exit(world, entry, working=100)
    await world.hold()
    await world.kill_worker(lapsed=True)
    async with world.database.connection() as connection:
        await connection.execute(
            'UPDATE orders SET params = params || \'{"forced": "stop"}\', limit_price = NULL,'
            " version = version + 1 WHERE id = $1",
            exit_order["id"],
        )
    world.revive()
    await world.let_go(Decimal(60))
    exit_order = await until_exit(world, entry, status="filled")
    assert exit_order["filled"] == 100
    assert await held(world) == 0
    children = await world.children(exit_order["id"])
    assert children[0]["purpose"] == "rest"
    assert {child["purpose"] for child in children[1:]} == {"cross"}
