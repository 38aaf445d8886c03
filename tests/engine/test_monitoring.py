"""The monitor in a working house: orders that fail, and orders that lag."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE
from tests.world import World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    settings = {
        "alert_failed_orders": 2,
        "alert_slow_seconds": 30,
        "alert_vwap_deviation_bps": "0.001",
    }
    async with open_world(database_url, tmp_path, **settings) as opened:
        yield opened


async def alert(
    world: World, rule: str, severity: str | None = None, subject: str | None = None
) -> Any:
    """As soon as it is told (as gravely as that, of this subject): after the commit that it is
    about."""
    async with asyncio.timeout(60):
        while True:
            async with world.database.connection() as connection:
                row = await connection.fetchrow(
                    "SELECT * FROM alerts WHERE rule = $1 AND severity = coalesce($2, severity)"
                    " AND subject = coalesce($3, subject)",
                    *(rule, severity, subject),
                )
            if row is not None:
                return row
            await asyncio.sleep(0.02)


async def out_of_reach(world: World) -> str:
    """An order whose limit the market does not reach: its time runs out."""
    order_id = await world.order(
        qty="100", algo="twap", params={"slices": 2}, duration=2 * MINUTE, limit_price="50.00"
    )
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["filled"]) == ("expired", 0)
    return order_id


async def test_orders_that_fail_one_after_another(world: World) -> None:
    await out_of_reach(world)
    last = await out_of_reach(world)
    row = await alert(world, "failed_orders")
    assert (row["subject"], row["severity"], row["order_id"]) == ("main", "error", last)
    assert row["data"]["failed"] == "2"


async def test_an_order_that_trades_ends_the_row(world: World) -> None:
    await out_of_reach(world)
    filled = await world.order(qty="100", algo="market")
    await world.done(filled)
    last = await out_of_reach(world)
    await alert(world, "slow_execution", "error", last)
    async with world.database.connection() as connection:
        found = await connection.fetch("SELECT rule FROM alerts")
    assert "failed_orders" not in {r["rule"] for r in found}


async def test_an_order_far_behind_is_noted_before_its_end(world: World) -> None:
    order_id = await world.order(
        qty="1000", algo="twap", params={"slices": 5}, duration=10 * MINUTE, limit_price="50.00"
    )
    await world.let_go()
    await world.done(order_id)
    row = await alert(world, "slow_execution", "error")
    assert row["subject"] == order_id
    async with world.database.connection() as connection:
        told = await connection.fetch(
            "SELECT at, data FROM events WHERE type = 'alert.raised'"
            " AND data ->> 'rule' = 'slow_execution' ORDER BY id"
        )
    # First a note while it works, at last an error: the open alert shows the gravest.
    assert told[0]["data"]["severity"] == "info"
    assert told[0]["at"] < (await world.row(order_id))["end_at"]
    assert row["count"] > 1


async def test_an_order_that_strays_from_the_market_s_vwap(world: World) -> None:
    """Crossing pays half of the spread: far more than a thousandth of a basis point."""
    order_id = await world.order(
        qty="600", algo="twap", params={"slices": 3, "placement": "cross"}, duration=6 * MINUTE
    )
    await world.let_go()
    told = await alert(world, "vwap_deviation")
    assert (told["subject"], told["severity"]) == (order_id, "warning")
    await world.done(order_id)
    row = await world.until(lambda row: row["market_volume"], order_id)
    vwap = Decimal(told["data"]["market_vwap"])
    assert abs(vwap / (row["market_notional"] / row["market_volume"]) - 1) < Decimal("0.01")
