"""Marks: what the market showed at fills, after them and at the end, also over a crash."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import HOUR, MINUTE, SECOND, Instant
from app.engine.marking import AFTER_FILL
from app.engine.worker import Worker
from tests.world import World, open_world

D = Decimal


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        yield opened


async def marks(world: World, order_id: str) -> dict[Instant, Any]:
    async with world.database.connection() as connection:
        found = await connection.fetch("SELECT * FROM marks WHERE order_id = $1", order_id)
    return {row["at"]: row for row in found}


async def moments(world: World, order_id: str) -> set[Instant]:
    """All that an order's costs are measured by."""
    async with world.database.connection() as connection:
        fills = await connection.fetch("SELECT at FROM fills WHERE order_id = $1", order_id)
        end = await connection.fetchval("SELECT finished_at FROM orders WHERE id = $1", order_id)
    return {row["at"] + after for row in fills for after in AFTER_FILL} | {end}


async def taken(world: World, order_id: str, wanted: set[Instant]) -> dict[Instant, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await marks(world, order_id)
            if wanted <= found.keys():
                return found
            if world.task.done():
                world.task.result()
            await asyncio.sleep(0.02)


def agree(world: World, found: dict[Instant, Any]) -> None:
    tape = world.worker.market.feed.tape("ACME")
    for at, mark in found.items():
        quote = tape.quote(at)
        assert quote is not None
        assert (mark["bid"], mark["ask"], mark["quoted_at"]) == (quote.bid, quote.ask, quote.at)
        assert mark["reason"] is None


async def test_every_moment_that_matters_is_kept_as_the_tape_has_it(world: World) -> None:
    order_id = await world.order(qty="1200", algo="twap", duration=10 * MINUTE)
    await world.let_go()
    await world.done(order_id)
    now = world.worker.market.clock.now()
    wanted = await moments(world, order_id)
    assert len(wanted) > 6
    reached = {at for at in wanted if at <= now}
    found = await taken(world, order_id, reached)
    assert found.keys() == reached, "nothing is seen before its time"
    agree(world, found)
    await world.let_go(speed=D(3600))
    agree(world, await taken(world, order_id, wanted))


async def test_what_a_crash_left_out_is_taken_later_as_of_its_moment(world: World) -> None:
    def silent(worker: Worker) -> None:
        """A worker that dies before it writes any mark."""
        for desk in worker.desks.values():
            desk._marking._wrote_at = float("inf")

    silent(world.worker)
    order_id = await world.order(qty="600", algo="twap", duration=5 * MINUTE)
    while not world.worker.desks:
        await asyncio.sleep(0.01)
    silent(world.worker)
    await world.let_go()
    await world.done(order_id)
    wanted = await moments(world, order_id)
    assert await marks(world, order_id) == {}
    await world.kill_worker(lapsed=True)
    async with world.database.connection() as connection:
        await connection.execute("UPDATE leases SET until = clock_timestamp()")
    world.revive()
    await world.let_go(speed=D(3600))
    agree(world, await taken(world, order_id, wanted))


async def test_after_the_close_there_is_a_reason_and_no_quote(world: World) -> None:
    order_id = await world.order(qty="100", algo="market")
    await world.let_go()
    row = await world.done(order_id)
    closes_at = row["session_closes_at"]
    # An order of the last two minutes, as far as its marks go.
    late = await world.order(qty="100", algo="market", start=closes_at - 2 * MINUTE)
    await world.done(late)
    await world.let_go(speed=D(3600))
    wanted = await moments(world, late)
    found = await taken(world, late, wanted)
    reasons = {at: mark["reason"] for at, mark in found.items()}
    assert {at >= closes_at for at in wanted} == {False, True}
    for at, reason in reasons.items():
        assert reason == ("after_close" if at >= closes_at else None)


async def test_what_the_tape_does_not_know_any_more_stays_unknown(world: World) -> None:
    order_id = await world.order(qty="100", algo="market")
    await world.let_go()
    await world.done(order_id)
    desk = world.worker.desks["main"]
    early = world.worker.market.feed.tape("ACME").since - HOUR
    from app.store.marks import Due

    row = await world.row(order_id)
    desk._marking._push([Due(early, order_id, "ACME", row["session_closes_at"])])
    desk._marking._push([Due(early + SECOND, order_id, "NONE", row["session_closes_at"])])
    found = await taken(world, order_id, {early, early + SECOND})
    for at in (early, early + SECOND):
        assert (found[at]["bid"], found[at]["reason"]) == (None, "not_captured")
