"""Decisions made again of orders that were paused, amended, halted, capped, queued and taken over;
and what is said where a stored input was changed, or never stored."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE, SECOND
from app.engine import commands, kill_switches
from app.engine.commands import Changes
from app.engine.kill_switches import Level, Scope, Target
from tests.reruns import equal, history, saw, verdicts, watched
from tests.world import CALLER, World, open_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TEN_MINUTES = 10 * MINUTE
PEGGED = {"slices": 10, "placement": "peg"}


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        yield opened


async def change(world: World, statement: str, *values: Any) -> None:
    async with world.database.connection() as connection:
        await connection.execute(statement, *values)


async def amend(world: World, order_id: str, **changes: Any) -> None:
    await commands.amend(world.service, CALLER, order_id, None, Changes(**changes))


async def test_paused_resumed_amended_and_canceled(world: World) -> None:
    fields: dict[str, Any] = {"qty": "4000", "algo": "twap", "duration": TEN_MINUTES}
    capped = await world.order(
        **fields, params=PEGGED, max_participation="0.2", limit_price="101.00"
    )
    willing = await world.order(
        "ACME", "sell", **fields, params={"slices": 10, "would_price": "100.00"}
    )
    followed = await world.order(qty="2000", algo="pov", duration=TEN_MINUTES)
    await world.let_go(Decimal(30))
    await world.until(lambda row: row["filled"] > 0, capped)
    await commands.pause(world.service, CALLER, capped)
    await world.until(lambda row: row["status"] == "paused" and row["working"] == 0, capped)
    await amend(world, capped, qty=Decimal(3000), limit_price=Decimal("100.80"))
    await commands.resume(world.service, CALLER, capped)
    await world.until(lambda row: row["status"] == "working", capped)
    end = (await world.row(capped))["end_at"] + 2 * MINUTE
    await amend(world, capped, end=end, max_participation=Decimal("0.3"))
    await amend(world, capped, params={"placement": "step_up", "steps": "4"})
    await amend(world, followed, params={"rate": "0.25"})
    before = (await world.row(capped))["filled"]
    await world.until(lambda row: row["filled"] > before or row["working"] > 0, capped)
    await commands.cancel(world.service, CALLER, capped)
    await world.let_go()
    for order_id in (capped, willing, followed):
        await world.done(order_id, 60)
    made = await equal(world, capped, willing, followed)
    assert made["order.paused"] == 1
    assert made["order.canceled"] == 1
    assert made["child.intended"] > 20
    kept = [e.why["before"] for e in await history(world, capped) if e.type == "order.amended"]
    assert [terms["qty"] for terms in kept] == ["4000", "3000", "3000"]
    assert [terms["params"]["placement"] for terms in kept] == ["peg"] * 3


async def test_halted_queued_and_in_each_others_way(database_url: str, tmp_path: Path) -> None:
    settings = {"max_working_orders": 2}
    async with open_world(database_url, tmp_path, **settings) as world:
        await watched(world)
        rests = await world.order("ACME", "sell", qty="300", algo="limit", limit_price="103.00")
        ids = [
            await world.order(qty="1500", algo="twap", duration=TEN_MINUTES, params=PEGGED)
            for _ in range(3)
        ]
        await world.let_go(Decimal(60))
        await world.until(lambda row: row["filled"] > 0, ids[0])
        everything = Target(Scope.ALL, "*")
        await kill_switches.throw(world.service, CALLER, everything, Level.HALT, "drill")
        await asyncio.sleep(1)
        await kill_switches.release(world.service, CALLER, everything, "over")
        await world.let_go()
        for order_id in ids:
            await world.done(order_id, 60)
        made = await equal(world, rests, *ids)
        assert made["order.scheduled"] > 0, "somebody waited"
        desks = [event.why.get("desk", {}) for i in ids for event in await history(world, i)]
        assert {"queued", "own_ask"} <= {name for desk in desks for name in desk}


async def test_a_worker_that_was_killed_and_another(world: World) -> None:
    order_id = await world.order(qty="4000", algo="twap", duration=TEN_MINUTES, params=PEGGED)
    await world.let_go(Decimal(120))
    await world.until(lambda row: row["filled"] > 700 and row["working"] > 0, order_id)
    await world.kill_worker(lapsed=True)
    await world.let_go()
    world.revive()
    await world.done(order_id, 60)
    made = await equal(world, order_id)
    assert made["child.intended"] > 5


async def test_the_live_clock(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path, feed="synthetic-live") as world:
        await watched(world)
        window: dict[str, Any] = {"qty": "40", "duration": 12 * SECOND}
        quick = {"slices": 6, "patience": 1}
        buy = await world.order(algo="twap", params=quick, **window)
        pegged = await world.order(algo="twap", params=quick | {"placement": "peg"}, **window)
        sell = await world.order("ACME", "sell", algo="is", params=quick, **window)
        for order_id in (buy, pegged, sell):
            await world.done(order_id, 60)
        made = await equal(world, buy, pegged, sell)
        assert made["child.intended"] >= 12
        told = saw(await history(world, buy), "child.intended")
        assert any(event.why["desk"]["margin_us"] > 0 for event in told)


async def test_a_changed_input_is_found(world: World) -> None:
    params = {"slices": 6, "placement": "cross"}
    order_id = await world.order(qty="3000", algo="twap", duration=TEN_MINUTES, params=params)
    await world.let_go()
    await world.done(order_id, 60)
    assert all([verdict.equal for verdict in await verdicts(world, order_id)])
    crossed = "UPDATE children SET why = jsonb_set(why, $3, $4) WHERE order_id = $1 AND id = $2"
    children = [c for c in await world.children(order_id) if c["purpose"] == "cross"]
    name = children[0]["id"]
    await change(world, crossed, order_id, name, ["quote", "ask"], "100.90")
    [found] = [v for v in await verdicts(world, order_id) if not v.equal]
    assert (found.child_id, found.equal) == (name, False)
    assert found.stored is not None
    assert found.again is not None
    stored = found.stored["actions"][0]["price"]
    assert Decimal(stored) == Decimal(children[0]["price"])
    assert found.again["actions"][0]["price"] == "100.9"


async def test_what_an_older_release_wrote_is_not_stored(world: World) -> None:
    order_id = await world.order(qty="3000", algo="twap", duration=TEN_MINUTES)
    await world.let_go(Decimal(60))
    await world.until(lambda row: row["filled"] > 0, order_id)
    await amend(world, order_id, qty=Decimal(2800))
    await world.let_go()
    await world.done(order_id, 60)
    await equal(world, order_id)
    told = await history(world, order_id)
    amended = next(event.seq for event in told if event.type == "order.amended")
    await change(
        world, "UPDATE events SET why = NULL WHERE order_id = $1 AND seq <= $2", order_id, amended
    )
    found = await verdicts(world, order_id)
    assert {v.equal for v in found if v.seq > amended} == {True}
    assert {v.equal for v in found if v.seq < amended} == {None}
    await change(world, "UPDATE children SET why = why - 'form' WHERE order_id = $1", order_id)
    sent = [v for v in await verdicts(world, order_id) if v.child_id is not None]
    assert {(v.equal, v.reason) for v in sent} == {(None, "not stored: only a part of what it saw")}
