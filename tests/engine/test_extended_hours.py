"""Orders of the early morning and the evening, through the whole house, and through deaths."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.audit import audit
from app.domain.instant import HOUR, MINUTE, SECOND, Instant, from_datetime
from app.domain.refusal import Refusal
from app.engine import commands
from app.engine.commands import Changes
from app.feeds.synthetic import STARTS_AT
from tests.reruns import equal, history, saw
from tests.world import CALLER, World, open_world

OPEN: Instant = STARTS_AT
CLOSE = OPEN + 390 * MINUTE
BEGINS = "2026-01-05T13:00:00Z"
"""Eight in the morning, an hour and a half before New York opens."""

MORNING = from_datetime(datetime.fromisoformat(BEGINS))


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path, feed_start=BEGINS) as opened:
        yield opened


async def entered(world: World, **fields: Any) -> str:
    usual: dict[str, Any] = {"qty": "600", "algo": "smart_limit", "duration": 20 * MINUTE}
    return await world.order(**(usual | {"extended_hours": True} | fields))


async def nothing_is_wrong(url: str, folder: Path) -> None:
    report = await audit(url, [folder / "paper.sqlite3"])
    assert [(check.name, check.faults) for check in report.failed()] == []


async def test_is_done_before_the_open(world: World, database_url: str, tmp_path: Path) -> None:
    order_id = await entered(world)
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["filled"]) == ("filled", 600)
    assert row["start_at"] < MORNING + MINUTE
    assert row["end_at"] < OPEN
    children = await world.children(order_id)
    assert {child["time_in_force"] for child in children} == {"day_ext"}
    fills = await world.fills(order_id)
    assert all(fill["at"] < "2026-01-05T14:30" for fill in fills)
    assert sum(Decimal(fill["qty"]) for fill in fills) == 600
    await equal(world, order_id)
    await nothing_is_wrong(database_url, tmp_path)


async def test_what_crosses_and_rests_is_taken_back(
    world: World, database_url: str, tmp_path: Path
) -> None:
    """Much more than is shown: a child takes what is there, and what is left of it goes."""
    order_id = await entered(world, qty="5000", params={"patience": 0, "completion": "leave"})
    await world.let_go()
    row = await world.done(order_id)
    assert row["filled"] > 0
    told = saw(await history(world, order_id), "child.cancel_requested")
    assert told
    children = {child["id"]: child for child in await world.children(order_id)}
    assert {child["purpose"] for child in children.values()} >= {"cross"}
    done = await equal(world, order_id)
    assert done["child.cancel_requested"] >= 1
    await nothing_is_wrong(database_url, tmp_path)


async def test_one_for_the_session_waits_for_the_open(world: World) -> None:
    asked = await entered(world)
    asked_not = await entered(world, extended_hours=False, algo="twap", qty="200")
    await world.let_go()
    await world.done(asked)
    row = await world.done(asked_not)
    assert row["start_at"] >= OPEN
    assert {c["time_in_force"] for c in await world.children(asked_not)} <= {"day", "ioc"}
    assert all(fill["at"] >= "2026-01-05T14:30" for fill in await world.fills(asked_not))


async def test_an_evening_is_worked_and_a_death_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    """Who starts again in the evening must not let time leap to the next open."""
    async with open_world(database_url, tmp_path, feed_start="2026-01-05T20:55:00Z") as world:
        asked: dict[str, Any] = {"params": {"max_slippage": "0.04"}, "duration": 2 * HOUR}
        order_id = await entered(world, start=CLOSE + 10 * MINUTE, qty="900", **asked)
        await world.let_go(Decimal(600))
        await world.until(lambda row: row["working"] > 0, order_id)
        await world.kill_worker(lapsed=True)
        world.revive()
        row = await world.done(order_id)
        assert (row["status"], row["filled"]) == ("filled", 900)
        assert row["session_closes_at"] == CLOSE + 4 * HOUR
        fills = await world.fills(order_id)
        assert all("2026-01-05T21:10" <= fill["at"] < "2026-01-05T23:11" for fill in fills)
        await equal(world, order_id)
    await nothing_is_wrong(database_url, tmp_path)


async def test_an_evening_with_somebody_in_it_lasts(database_url: str, tmp_path: Path) -> None:
    """Closed hours are skipped where nobody trades in them."""
    began = from_datetime(datetime.fromisoformat("2026-01-05T21:30:00Z"))
    async with open_world(database_url, tmp_path, feed_start="2026-01-05T21:30:00Z") as world:
        resting = {"algo": "limit", "limit_price": "50.00", "qty": "100", "duration": 2 * HOUR}
        order_id = await entered(world, **resting)
        await world.let_go(Decimal(60))
        await world.until(lambda row: row["working"] > 0, order_id)
        await asyncio.sleep(0.5)
        assert began < world.worker.market.clock.now() < began + HOUR


async def test_may_be_made_longer_until_the_evening_s_end(world: World) -> None:
    order_id = await entered(world, algo="limit", limit_price="50.00", qty="100")
    last = CLOSE + 4 * HOUR
    row = await commands.amend(world.service, CALLER, order_id, None, Changes(end=last))
    assert row["end_at"] == last
    with pytest.raises(Refusal, match="after the session's close"):
        await commands.amend(world.service, CALLER, order_id, None, Changes(end=last + SECOND))


async def test_a_house_may_forbid_it(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, feed_start=BEGINS, extended_hours=False) as world:
        with pytest.raises(Refusal, match="SLIPSTREAM_EXTENDED_HOURS"):
            await entered(world)
        assert await entered(world, extended_hours=False, algo="twap")
