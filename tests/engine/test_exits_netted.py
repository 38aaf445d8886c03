"""Strategies that net in one account: whoever is hidden by others keeps its exit."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.engine import commands, kill_switches
from app.engine.kill_switches import Level, Scope, Target
from app.store import exits as store
from tests.engine.test_exits import alerted, books_are_right, exits, held, offsets, until_exit
from tests.reruns import equal, watched
from tests.world import CALLER, World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def traded(world: World, side: str, qty: str, strategy: str | None, **fields: Any) -> str:
    order_id = await world.order(side=side, qty=qty, algo="market", strategy=strategy, **fields)
    assert (await world.done(order_id))["status"] == "filled"
    return order_id


async def long_and_short(world: World) -> tuple[str, str]:
    """A's hundred, and B's against them: the account holds nothing, and both exits wait."""
    first = await traded(world, "buy", "100", "A", bracket=offsets("40.00", "20.00"))
    await until_exit(world, first, working=100)
    second = await traded(world, "sell", "100", "B", bracket=offsets("40.00", "20.00"))
    await until_exit(world, second, status="working")
    await until_exit(world, first, status="working", working=0)
    assert await held(world) == 0
    return first, second


async def test_who_is_hidden_keeps_its_exit_until_the_other_covers(world: World) -> None:
    first, second = await long_and_short(world)
    await traded(world, "buy", "100", "B")
    exit_order = await until_exit(world, first, status="working", working=100)
    await until_exit(world, second, status="canceled", reason="nothing_to_reduce", filled=0)
    assert exit_order["client_order_id"] == f"exit-{first}-1"
    assert (len(await exits(world, first)), await held(world)) == (1, 100)
    assert "no_exit" not in await alerted(world)
    assert (await equal(world, exit_order["id"]))["child.intended"] >= 2
    await books_are_right(world)


async def test_what_a_strategy_holds_is_summed_again_only_after_a_fill(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = await long_and_short(world)
    own, asked = store.own_position, []

    async def counted(connection: Any, **whose: Any) -> Decimal:
        asked.append(whose["strategy"])
        return await own(connection, **whose)

    monkeypatch.setattr(store, "own_position", counted)
    roster, clock = world.worker.desks["main"]._roster, world.worker.market.clock
    before = len(asked)
    for _ in range(5):
        roster.wake(list(roster.orders), clock.now())
        await asyncio.sleep(0.05)
    assert len(asked) - before <= 2
    await traded(world, "buy", "100", "B")
    await until_exit(world, first, status="working", working=100)
    assert "B" in asked


async def test_a_cover_while_no_worker_lives_is_found_by_the_next(world: World) -> None:
    first, second = await long_and_short(world)
    await world.hold()
    await world.kill_worker(lapsed=True)
    cover = await world.order(side="buy", qty="100", algo="market", strategy="B")
    world.revive()
    await world.let_go(Decimal(60))
    await world.done(cover)
    await until_exit(world, first, status="working", working=100)
    await until_exit(world, second, status="canceled", filled=0)
    await books_are_right(world)


async def test_a_stop_that_is_hit_while_hidden_crosses_once_it_can(world: World) -> None:
    """It opens nothing while the account is flat, and waits for no second touch."""
    await traded(world, "buy", "100", "B")
    first = await traded(world, "sell", "100", "A", bracket=offsets("50.00", "0.20"))
    async with asyncio.timeout(60):
        while "stop_hit" not in await alerted(world):
            await asyncio.sleep(0.01)
    exit_order = await until_exit(world, first, status="working", filled=0)
    assert exit_order["params"]["forced"] == "stop"
    assert await held(world) == 0
    await traded(world, "sell", "100", "B")
    await until_exit(world, first, status="filled", filled=100)
    assert await held(world) == 0
    await books_are_right(world)


async def test_its_own_strategy_ends_it_whatever_others_hold(world: World) -> None:
    first, _ = await long_and_short(world)
    await traded(world, "sell", "100", "A")
    await until_exit(world, first, status="canceled", reason="nothing_to_reduce", filled=0)
    assert await held(world) == -100


async def test_what_somebody_ends_while_it_is_hidden_is_told(world: World) -> None:
    first, _ = await long_and_short(world)
    [exit_order] = await exits(world, first)
    await commands.cancel(world.service, CALLER, exit_order["id"])
    async with asyncio.timeout(60):
        while "no_exit" not in (told := await alerted(world)):
            await asyncio.sleep(0.01)
    assert told["no_exit"].startswith("100 of buy ACME stand without an exit")


async def test_a_flatten_leaves_nothing_behind_that_exits_would_wait_for(world: World) -> None:
    """What A held before is closed: only what it holds since is hidden by others, or not."""
    await traded(world, "buy", "300", "A")
    target = Target(Scope.ALL, "*")
    await kill_switches.throw(world.service, CALLER, target, Level.FLATTEN, "drill")
    async with asyncio.timeout(60):
        while await held(world):
            await asyncio.sleep(0.01)
    await kill_switches.release(world.service, CALLER, target, "over")
    entry = await traded(world, "buy", "100", "A", bracket=offsets("40.00", "20.00"))
    await until_exit(world, entry, working=100)
    await traded(world, "sell", "100", "A")
    await until_exit(world, entry, status="canceled", reason="nothing_to_reduce")
