"""Orders that only reduce, in a whole house."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.store import positions
from tests.reruns import equal, watched
from tests.world import World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def bought(world: World, qty: str) -> None:
    order_id = await world.order(qty=qty, algo="market")
    assert (await world.done(order_id))["status"] == "filled"


async def reduced(world: World, qty: str, **fields: Any) -> Any:
    order_id = await world.order(side="sell", qty=qty, algo="market", reduce_only=True, **fields)
    return await world.done(order_id)


async def held(world: World) -> Decimal:
    async with world.database.connection() as connection:
        found: Decimal = await connection.fetchval("SELECT qty FROM positions")
    return found


async def test_it_stops_at_zero_and_every_decision_can_be_made_again(world: World) -> None:
    await bought(world, "200")
    row = await reduced(world, "500")
    assert (row["status"], row["reason"], row["filled"]) == ("canceled", "nothing_to_reduce", 200)
    assert await held(world) == 0
    assert (await equal(world, row["id"]))["child.intended"] >= 1


async def test_with_nothing_held_it_sends_nothing(world: World) -> None:
    row = await reduced(world, "100")
    assert (row["status"], row["reason"]) == ("canceled", "nothing_to_reduce")
    assert await world.children(row["id"]) == []


async def test_two_of_them_share_one_position(world: World) -> None:
    await bought(world, "300")
    resting = await world.order(
        side="sell", qty="250", algo="limit", limit_price="103.00", reduce_only=True
    )
    await world.until(lambda row: row["working"] == 250, resting)
    other = await world.order(side="sell", qty="250", algo="market", reduce_only=True)
    row = await world.until(lambda row: row["filled"] > 0, other)
    assert row["filled"] == 50
    assert await held(world) == 250


async def test_a_position_that_moved_before_the_commit_is_seen_under_the_lock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision saw more than is there by the time its intent is written."""
    await bought(world, "200")
    read, lies = positions.quantities, [Decimal(500)]

    async def stale(*arguments: Any, still: bool = False, **named: Any) -> dict[str, Decimal]:
        if lies and not still:
            return {"ACME": lies.pop()}
        return await read(*arguments, still=still, **named)

    monkeypatch.setattr(positions, "quantities", stale)
    row = await reduced(world, "500")
    assert lies == []
    assert sum(c["qty"] == 500 for c in await world.children(row["id"])) == 0
    assert (row["filled"], await held(world)) == (200, 0)
