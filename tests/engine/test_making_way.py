"""What takes risk away is not held up by the account's own orders: they give way, and go on."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.audit import Terms, audit
from app.domain.actions import Decision
from app.domain.desk import Desk as DeskFacts
from app.domain.fact import CancelRequested, Moved
from app.domain.instant import MINUTE, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market, Quote
from app.domain.quantity import Side
from app.engine import flattening
from app.engine.kill_switches import Scope, Target
from app.engine.working import EXIT, FLATTEN
from tests.domain.tasks import OPEN
from tests.engine.test_exits import offsets, until_exit
from tests.engine.test_flatten import bought, entered, throw
from tests.engine.test_ills import revived, with_broker
from tests.engine.test_recovery import Flaky
from tests.engine.test_roster import D, child, facts_for, loaded, order, record, roster
from tests.reruns import equal, watched
from tests.world import World, open_world

STRATEGY_A = Target(Scope.STRATEGY, "a")


async def standing(world: World, side: str = "buy") -> str:
    """Strategy b's order, which stands far in front of everybody: none of ours may pass it."""
    async with world.database.connection() as connection:
        now = await connection.fetchrow("SELECT bid, ask FROM watches WHERE symbol = 'ACME'")
    order_id = await world.order(
        side=side,
        qty="50000",
        algo="limit",
        limit_price=str(now["bid"] + 1 if side == "buy" else now["ask"] - 1),
        strategy="b",
        duration=300 * MINUTE,
    )
    await world.until(lambda row: row["working"] > 0, order_id)
    return order_id


async def canceled_for(world: World, order_id: str) -> set[Any]:
    async with world.database.connection() as connection:
        found = await connection.fetch(
            "SELECT data ->> 'reason' AS reason FROM events WHERE order_id = $1"
            " AND type = 'child.cancel_requested'",
            order_id,
        )
    return {row["reason"] for row in found}


async def test_what_rests_of_another_strategy_gives_way_to_a_flatten_and_goes_on(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        await watched(world)
        await world.let_go(Decimal(60))
        await bought(world, "300", strategy="a")
        await world.let_go(Decimal(1))
        other = await standing(world)
        await throw(world, STRATEGY_A)
        closed = await flattened(world)
        assert [(o["status"], o["filled"]) for o in closed] == [("filled", 300)]
        assert await canceled_for(world, other) == {"in_the_way"}
        # It was never asked to end, and rests again as soon as the position is closed.
        row = await world.until(lambda row: row["working"] > 0, other)
        assert row["status"] == "working"
        await equal(world, other, *(o["id"] for o in closed))
        report = await audit(world.database.url, [], Terms(0))
        assert [(c.name, c.faults) for c in report.failed()] == []


async def test_what_rests_of_another_strategy_gives_way_to_a_stop(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        await watched(world)
        await world.let_go(Decimal(60))
        entry = await world.order(
            qty="300", algo="market", strategy="a", bracket=offsets("20.00", "10.00")
        )
        await world.done(entry)
        await world.let_go(Decimal(1))
        await until_exit(world, entry, status="working", working=300)
        other = await standing(world)
        await world.kill_worker(lapsed=True)
        async with world.database.connection() as connection:
            # As if the market had come to the stop.
            await connection.execute(
                "UPDATE orders SET params = params || '{\"stop\": \"1000\"}' WHERE role = 'exit'"
            )
        world.revive()
        exit_order = await until_exit(world, entry, status="filled")
        assert (exit_order["filled"], exit_order["params"]["forced"]) == (300, "stop")
        assert await canceled_for(world, other) == {"in_the_way"}


class Deaf(Flaky):
    """The broker, which carries out no cancel."""

    async def cancel(self, child_id: str, at: Instant) -> None:
        return None


async def test_a_flatten_that_gets_no_fill_is_alarmed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flattening, "PATIENCE_SECONDS", 1.0)
    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, lambda inner: Deaf(inner, [])))
        await watched(world)
        await world.let_go(Decimal(60))
        await bought(world, "300", strategy="a")
        await world.let_go(Decimal(1))
        await standing(world)
        await throw(world, STRATEGY_A)
        async with asyncio.timeout(60):
            while not (found := await alerts(world)):
                await asyncio.sleep(0.05)
        assert "order 1 is at work, held by self_match" in found[0]


async def alerts(world: World) -> list[str]:
    async with world.database.connection() as connection:
        found = await connection.fetch("SELECT message FROM alerts WHERE rule = 'position_stands'")
    return [row["message"] for row in found]


async def flattened(world: World) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        while not (found := await entered(world)) or any(
            o["status"] not in ("filled", "canceled") for o in found
        ):
            await asyncio.sleep(0.05)
    return found


def test_nobody_comes_between_an_urgent_order_and_what_it_takes() -> None:
    made = roster(
        order("me"), order("rests", child("r", "10.02"), child("behind", "10.00", number=2))
    )
    urgent = [order("flat", side=Side.SELL), order("exit", side=Side.SELL, algo="bracket")]
    made.remember([loaded(urgent[0], role=FLATTEN), loaded(urgent[1], role=EXIT)], OPEN)
    assert facts_for(made, "me").own_ask is None, "none has seen a market yet"
    for name, bid in (("flat", "10.01"), ("exit", "10.02")):
        book = Quote(D(bid), D("10.03"), D(100), D(100), OPEN, OPEN)
        made.orders[name].market = Market(book)
    assert facts_for(made, "me") == DeskFacts(own_bid=D("10.02"), own_ask=D("10.01"))
    # They do not hold up each other.
    assert facts_for(made, "flat").own_ask is None
    flat = made.orders["flat"]
    assert made.in_the_way(flat) == [("rests", "r")]
    assert made.held_up() == []
    flat.decided = Decision(own=True)
    assert made.held_up() == [flat]
    record(made, "flat", CancelRequested(OPEN, "over"), Moved(OPEN, OrderStatus.CLOSING, "over"))
    assert made.in_the_way(flat) == []
    assert facts_for(made, "me").own_ask == D("10.02")
