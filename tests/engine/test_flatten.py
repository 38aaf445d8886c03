"""Kill switches that flatten: what is open ends, then what is held is closed, once."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.audit import Terms, audit
from app.domain.refusal import Conflict
from app.engine import commands, kill_switches
from app.engine.kill_switches import Level, Scope, Target, fully_told
from app.store import flatten
from tests.reruns import watched
from tests.world import CALLER, World, open_world

EVERYTHING = Target(Scope.ALL, "*")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def throw(
    world: World, target: Target = EVERYTHING, level: Level = Level.FLATTEN
) -> kill_switches.Thrown:
    return await kill_switches.throw(world.service, CALLER, target, level, "drill")


async def release(world: World, target: Target = EVERYTHING) -> None:
    await kill_switches.release(world.service, CALLER, target, "over")


async def bought(world: World, qty: str, symbol: str = "ACME", **fields: Any) -> None:
    order_id = await world.order(symbol, qty=qty, algo="market", **fields)
    assert (await world.done(order_id))["status"] == "filled"


async def held(world: World, symbol: str = "ACME") -> Decimal:
    async with world.database.connection() as connection:
        found = await connection.fetchval("SELECT qty FROM positions WHERE symbol = $1", symbol)
    return found or Decimal(0)


async def until_held(world: World, qty: int, symbol: str = "ACME") -> None:
    async with asyncio.timeout(60):
        while await held(world, symbol) != qty:
            if world.task.done():
                world.task.result()
            await asyncio.sleep(0.01)


async def entered(world: World) -> list[dict[str, Any]]:
    async with world.database.connection() as connection:
        found = await connection.fetch(
            "SELECT id, client_order_id, symbol, side, qty, filled, status, reason, strategy"
            " FROM orders WHERE role = 'flatten' ORDER BY created_at"
        )
    return [dict(row) for row in found]


async def doing(world: World) -> str:
    """What is told of the one position that stands open."""
    [told] = await kill_switches.switches(world.service, CALLER)
    return told.standing[0].doing


async def settled(world: World) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while any(o["status"] not in ("filled", "canceled") for o in await entered(world)):
            await asyncio.sleep(0.01)
    return await entered(world)


async def test_open_orders_end_and_the_position_is_closed_once(world: World) -> None:
    await bought(world, "500")
    resting = await world.order(qty="300", algo="limit", limit_price="97.00")
    thrown = await throw(world)
    assert thrown.switch.level is Level.FLATTEN
    assert (await world.done(resting))["reason"] == "kill_switch:all:*"
    await until_held(world, 0)
    [order] = await settled(world)
    assert (order["side"], order["qty"], order["status"]) == ("sell", 500, "filled")
    assert order["client_order_id"] == f"flatten-{thrown.switch.version}-ACME-1"
    with pytest.raises(Conflict):
        await world.order(qty="100", algo="market")
    await asyncio.sleep(0.6)
    assert len(await entered(world)) == 1
    report = await audit(world.database.url, [], Terms(0))
    found = [(c.name, f.subject) for c in report.checks for f in c.faults]
    assert not [one for one in found if "halt" in one[0] or "reduces" in one[0]], found


async def test_a_halted_position_is_flattened_through_every_halt(world: World) -> None:
    await bought(world, "200")
    await throw(world, Target(Scope.SYMBOL, "ACME"), Level.HALT)
    await throw(world, Target(Scope.ACCOUNT, "main"))
    await until_held(world, 0)


async def test_a_rise_from_cancel_flattens_and_never_falls(world: World) -> None:
    await bought(world, "200")
    await throw(world, level=Level.CANCEL)
    await asyncio.sleep(0.5)
    assert await held(world) == 200
    await throw(world)
    await until_held(world, 0)
    assert (await throw(world, level=Level.HALT)).switch.level is Level.FLATTEN


async def test_a_symbol_leaves_the_others_alone(world: World) -> None:
    await bought(world, "200")
    await bought(world, "100", "GLOBEX")
    await throw(world, Target(Scope.SYMBOL, "GLOBEX"))
    await until_held(world, 0, "GLOBEX")
    assert await held(world) == 200


async def test_a_strategy_gives_back_its_own_and_never_more_than_is_held(world: World) -> None:
    await bought(world, "500", strategy="momentum")
    await bought(world, "100", strategy="value")
    await throw(world, Target(Scope.STRATEGY, "momentum"))
    await until_held(world, 100)
    [order] = await settled(world)
    assert (order["strategy"], order["filled"]) == ("momentum", 500)
    await release(world, Target(Scope.STRATEGY, "momentum"))
    await bought(world, "300", strategy="short", side="sell")
    await throw(world, Target(Scope.STRATEGY, "value"))
    await asyncio.sleep(0.8)
    # The account is short by others: there is nothing of it to take away.
    assert await held(world) == -200


async def test_a_short_position_is_bought_back(world: World) -> None:
    await bought(world, "300", side="sell")
    await throw(world, Target(Scope.ACCOUNT, "main"))
    await until_held(world, 0)
    assert [order["side"] for order in await settled(world)] == ["buy"]


async def test_a_fill_that_comes_late_is_closed_as_well(world: World) -> None:
    await bought(world, "200")
    await throw(world)
    await until_held(world, 0)
    await settled(world)
    async with world.database.connection() as connection:
        await connection.execute("UPDATE positions SET qty = 70 WHERE symbol = 'ACME'")
    async with asyncio.timeout(60):
        while len(await entered(world)) < 2:
            await asyncio.sleep(0.01)
    last = (await settled(world))[-1]
    assert (last["qty"], last["filled"], last["client_order_id"][-2:]) == (70, 70, "-2")
    async with world.database.connection() as connection:
        alert = await connection.fetchrow("SELECT * FROM alerts WHERE rule = 'position_stands'")
    assert alert is not None
    assert "70 ACME stand open" in alert["message"]


async def test_a_release_cancels_what_is_at_work(world: World) -> None:
    await bought(world, "200")
    await world.hold()
    await throw(world)
    async with asyncio.timeout(60):
        while not await entered(world):
            await asyncio.sleep(0.01)
    await release(world)
    await world.let_go(Decimal(60))
    [order] = await settled(world)
    if order["status"] == "canceled":
        assert order["reason"] == "kill_switch_released"
        assert await held(world) == 200 - order["filled"]


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_death_in_the_midst_enters_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The worker dies right before, or right after its order is committed."""
    await bought(world, "400")
    reached = asyncio.Event()
    enter = flatten.enter_numbered

    async def dies(*arguments: Any) -> str | None:
        found = await enter(*arguments) if place == "after" else None
        connection = arguments[0]
        if place == "after":
            await connection.execute("COMMIT")
            await connection.execute("BEGIN")
        reached.set()
        await asyncio.sleep(60)
        return found

    monkeypatch.setattr(flatten, "enter_numbered", dies)
    await throw(world)
    await asyncio.wait_for(reached.wait(), 20)
    await world.kill_worker()
    monkeypatch.setattr(flatten, "enter_numbered", enter)
    async with world.database.connection() as connection:
        await connection.execute("UPDATE leases SET until = NULL")
    world.revive()
    await until_held(world, 0)
    [order] = await settled(world)
    assert order["filled"] == 400


async def test_a_name_that_a_client_took_does_not_keep_it_open(world: World) -> None:
    await bought(world, "100", client_order_id="flatten-1-ACME-1")
    await throw(world)
    await until_held(world, 0)
    assert [o["client_order_id"] for o in await settled(world)] == ["flatten-1-ACME-2"]


async def test_outside_the_session_it_waits_for_the_open(world: World, database_url: str) -> None:
    await bought(world, "100")
    await world.hold()
    desk = world.worker.desks["main"]
    clock, now = world.worker.market.clock, world.worker.market.clock.now()
    closes = world.worker.market.watched["ACME"].sessions[0].closes_at
    world.worker.market.reach(closes + 60_000_000)
    assert clock.now() > now
    await throw(world)
    async with asyncio.timeout(60):
        while desk._flattening.next_at(clock.now()) is None:
            await asyncio.sleep(0.01)
    assert await entered(world) == []
    # Whoever asks reads market time as it was told last, up to 50 ms ago.
    async with asyncio.timeout(60):
        while not (await doing(world)).startswith("the market is closed"):
            await asyncio.sleep(0.01)
    await world.let_go()
    await until_held(world, 0)


async def test_how_long_the_cancels_take_is_told_where_the_broker_states_a_rate(
    world: World,
) -> None:
    for _ in range(3):
        order_id = await world.order(qty="100", algo="limit", limit_price="97.00")
        await world.until(lambda row: row["working"] == 100, order_id)
    assert (await throw(world, level=Level.HALT)).expected_seconds is None
    async with world.database.connection() as connection:
        await connection.execute("UPDATE accounts SET cancels_per_second = 2")
    [told] = await kill_switches.switches(world.service, CALLER)
    assert (told.open_orders, told.expected_seconds) == (3, 1.5)
    assert fully_told(told)["expected_seconds"] == 1.5


async def test_a_flattening_order_cannot_be_paused_or_amended(world: World) -> None:
    await bought(world, "200")
    await world.hold()
    await throw(world)
    async with asyncio.timeout(60):
        while not (found := await entered(world)):
            await asyncio.sleep(0.01)
    with pytest.raises(Conflict) as refused:
        await commands.pause(world.service, CALLER, found[0]["id"])
    assert refused.value.code == "flattening"
    await world.let_go(Decimal(60))
    await until_held(world, 0)
