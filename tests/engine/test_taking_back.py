"""A signal that takes a position back, in a whole house: beside exits, stops and open entries it
never comes out on the other side."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import SECOND
from app.engine import commands
from app.engine.signal import Signal, Sizing
from app.engine.signals import receive
from tests.engine.test_exits import alerted, books_are_right, exits, held, offsets, until_exit
from tests.reruns import watched
from tests.world import CALLER, World, open_world

SLOWLY: dict[str, Any] = {"algo": "twap", "duration": 1800 * SECOND}


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def aim(world: World, position: str, **fields: Any) -> Any:
    signal = Signal("main", "t", None, "ACME", None, Decimal(position), Sizing.TARGET, **fields)
    return await receive(world.service, CALLER, signal, {"aim": position})


async def test_a_flat_and_a_stop_that_is_hit_meanwhile_end_at_zero(world: World) -> None:
    """The stop lies so near that it is hit while the flat is still at work."""
    entry = await world.order(side="sell", qty="300", algo="market", bracket=offsets("50.00", None))
    await until_exit(world, entry, working=300)
    second = await world.order(
        side="sell", qty="200", algo="market", bracket=offsets("60.00", "0.20")
    )
    await world.done(second)
    row = await aim(world, "0", **SLOWLY)
    assert (row["decision"], row["side"]) == ("execute", "buy")
    done = await world.done(row["order_id"], 60)
    assert done["reduce_only"]
    async with asyncio.timeout(30):
        while await held(world):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    assert await held(world) == 0
    await books_are_right(world)


async def test_exits_make_room_for_a_part_and_stand_for_the_rest(world: World) -> None:
    entry = await world.order(qty="300", algo="market", bracket=offsets("50.00", "20.00"))
    await until_exit(world, entry, working=300)
    row = await aim(world, "200", algo="market")
    done = await world.done(row["order_id"])
    assert (done["status"], done["filled"], await held(world)) == ("filled", 100, 200)
    await until_exit(world, entry, status="working", working=200)
    assert len(await exits(world, entry)) == 1
    assert "no_exit" not in await alerted(world)
    await books_are_right(world)


async def test_a_whole_flat_takes_its_exits_along(world: World) -> None:
    entry = await world.order(qty="300", algo="market", bracket=offsets("50.00", "20.00"))
    await until_exit(world, entry, working=300)
    row = await aim(world, "0", algo="market")
    assert (await world.done(row["order_id"]))["filled"] == 300
    exit_order = await until_exit(world, entry, status="canceled")
    assert (exit_order["reason"], exit_order["filled"]) == ("nothing_to_reduce", 0)
    assert await held(world) == 0


async def test_a_flat_ends_the_entry_that_is_still_filling(world: World) -> None:
    entry = await world.order(qty="600", **SLOWLY, bracket=offsets("50.00", "20.00"))
    await world.until(lambda row: row["filled"] >= 60, entry)
    row = await aim(world, "0", algo="market")
    ended = await world.row(entry)
    assert (ended["status"], ended["reason"]) == ("canceled", "recalled_by_signal")
    assert row["final_qty"] == ended["filled"] < 600
    await world.done(row["order_id"])
    async with asyncio.timeout(30):
        while await held(world):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    assert await held(world) == 0
    await books_are_right(world)


async def test_a_turn_ends_the_exits_of_what_it_turns(world: World) -> None:
    entry = await world.order(qty="300", algo="market", bracket=offsets("50.00", "20.00"))
    await until_exit(world, entry, working=300)
    row = await aim(world, "-200", algo="market")
    assert (row["final_qty"], (await world.done(row["order_id"]))["filled"]) == (500, 500)
    exit_order = await until_exit(world, entry, status="canceled")
    assert (exit_order["reason"], exit_order["filled"]) == ("recalled_by_signal", 0)
    assert await held(world) == -200


async def test_a_flat_below_the_target_waits_for_its_own_price_alone(world: World) -> None:
    """A limit beyond the target lets the target go first; one before it goes first itself."""
    entry = await world.order(qty="300", algo="market", bracket=offsets("40.00", "20.00"))
    exit_order = await until_exit(world, entry, working=300)
    far, near = exit_order["limit_price"] + 10, exit_order["limit_price"] - 10
    beyond = await aim(world, "0", algo="limit", limit_price=far)
    await asyncio.sleep(0.5)
    assert (await exits(world, entry))[-1]["working"] == 300
    assert (await world.row(beyond["order_id"]))["working"] == 0
    await commands.cancel(world.service, CALLER, beyond["order_id"])
    first = await world.order(
        side="sell", qty="300", algo="limit", limit_price=str(near), reduce_only=True
    )
    await world.until(lambda row: row["working"] == 300, first)
    assert (await exits(world, entry))[-1]["working"] == 0
