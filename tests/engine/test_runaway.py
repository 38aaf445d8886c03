"""The runaway of 1 August 2012 again: orders are filled, and what counts the fills stands still.

Then 212 orders became four million executions within 45 minutes. Here the counter is broken in a
whole house, and the order has to be stopped by what does not depend on it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain import fold_children
from app.domain.instant import MINUTE
from tests.world import World, open_world

D = Decimal


@pytest.fixture
async def world(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    count = fold_children._filled

    def forgets(execution: Any, old: Any, fact: Any) -> Any:
        after, new = count(execution, old, fact)
        return replace(after, filled=execution.filled), new

    monkeypatch.setattr(fold_children, "_filled", forgets)
    async with open_world(database_url, tmp_path) as opened:
        await opened.watch("ACME")
        yield opened


async def executed(world: World, order_id: str) -> Decimal:
    async with world.database.connection() as connection:
        found: Decimal = await connection.fetchval(
            "SELECT coalesce(sum(qty), 0) FROM fills WHERE order_id = $1", order_id
        )
    return found


async def test_an_order_whose_counter_stands_still_is_stopped_by_the_ledger(world: World) -> None:
    order_id = await world.order(
        qty="1000", algo="twap", duration=10 * MINUTE, params={"slices": 10, "placement": "cross"}
    )
    await world.let_go()
    row = await world.until(lambda row: row["status"] == "needs_operator", order_id, 60)
    assert row["reason"] == "internal.Runaway"
    await asyncio.sleep(1)
    assert row["filled"] == 0, "the counter was to stand still"
    assert D(0) < await executed(world, order_id) <= 1000
    async with world.database.connection() as connection:
        alerts = await connection.fetch("SELECT severity FROM alerts WHERE order_id = $1", order_id)
    assert "critical" in {alert["severity"] for alert in alerts}
