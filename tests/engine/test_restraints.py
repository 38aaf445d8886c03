"""Limits in a whole house: children kept small, too many of them, refused ones, losses."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE
from app.domain.refusal import Conflict, Refusal
from app.domain.risk.limit import Scope
from app.engine import kill_switches, limits
from app.engine.kill_switches import Scope as Switched
from app.engine.kill_switches import Target, released_told
from app.engine.limits import Numbers
from app.ports import Refused, Withheld
from app.store import controls, paces
from tests.reruns import equal
from tests.world import CALLER, World, open_world

D = Decimal


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await opened.watch("ACME")
        yield opened


async def put(world: World, limit: str, hard: str, scope: str = "all", name: str = "*") -> None:
    target = limits.Target(Scope(scope), name, limit)
    await limits.change(world.service, CALLER, target, Numbers(D(hard), reason="drill"))


async def thrown(world: World) -> list[tuple[str, str, str | None]]:
    async with world.database.connection() as connection:
        found = await controls.thrown(connection, accounts=None)
    return [(s.scope.value, s.name, s.changed_by) for s in found]


async def halted(world: World, scope: str, name: str) -> None:
    async with asyncio.timeout(60):
        while (scope, name, "slipstream") not in await thrown(world):
            await asyncio.sleep(0.02)


async def sizes(world: World, order_id: str) -> list[Decimal]:
    return [D(child["qty"]) for child in await world.children(order_id)]


@pytest.mark.parametrize(
    ("limit", "hard", "most"), [("max_child_qty", "70", 70), ("max_child_notional", "5000", 50)]
)
async def test_no_child_is_larger_than_its_limit(
    world: World, limit: str, hard: str, most: int
) -> None:
    await put(world, limit, hard, "symbol", "ACME")
    order_id = await world.order(
        qty="2000", algo="twap", duration=20 * MINUTE, params={"placement": "cross"}
    )
    free = await world.order("GLOBEX", qty="400", algo="market")
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["filled"]) == ("filled", D(2000))
    found = await sizes(world, order_id)
    assert max(found) <= most
    assert sum(1 for size in found if size >= most - 2) > 5
    if limit == "max_child_notional":
        sent = await world.children(order_id)
        assert max(D(child["qty"]) * D(child["price"]) for child in sent) <= 5000
    assert max(await sizes(world, free)) > 70
    # What the limit said is stored with each decision.
    await equal(world, order_id)


async def test_a_limit_that_comes_later_holds_for_what_is_open(world: World) -> None:
    order_id = await world.order(
        qty="4000", algo="twap", duration=10 * MINUTE, params={"placement": "cross"}
    )
    await world.let_go(D(30))
    await world.until(lambda row: row["filled"] > 0, order_id)
    await put(world, "max_child_qty", "50", "account", "main")

    async def small() -> list[int]:
        return [number(c) for c in await world.children(order_id) if D(c["qty"]) <= 50]

    # The desk learns of it within half a second, on a machine that does not pause.
    async with asyncio.timeout(60):
        while not (known := await small()):
            await asyncio.sleep(0.01)
    await world.let_go()
    await world.done(order_id)
    late = [c for c in await world.children(order_id) if number(c) > min(known)]
    assert late
    assert max(D(c["qty"]) for c in late) <= 50


def number(child: dict[str, Any]) -> int:
    """Which of its order's children it is."""
    return int(child["id"].rsplit("-", 1)[1], 36)


async def many(world: World, strategy: str | None = "s") -> str:
    """An order that sends a child every two seconds."""
    return await world.order(
        qty="3000",
        algo="twap",
        duration=5 * MINUTE,
        strategy=strategy,
        params={"slices": 150, "jitter": 0, "placement": "cross"},
    )


async def test_too_many_children_stop_their_strategy_until_a_person_releases_it(
    world: World,
) -> None:
    await put(world, "max_children_1m", "10", "strategy", "s")
    order_id, other = await many(world), await many(world, "t")
    await world.let_go(D(240))
    await halted(world, "strategy", "s")
    await world.until(lambda row: row["filled"] >= 600, other)
    assert len(await world.children(order_id)) == 10
    with pytest.raises(Conflict) as refused:
        await world.order(qty="100", algo="market", strategy="s")
    assert "max_children_1m 10 is broken" in refused.value.message
    # A restart does not arm it again.
    await world.kill_worker(lapsed=True)
    world.revive()
    await world.until(lambda row: row["filled"] >= 1200, other)
    assert len(await world.children(order_id)) == 10
    target = kill_switches.Target(Switched.STRATEGY, "s")
    await kill_switches.release(world.service, CALLER, target, "looked at it")
    async with asyncio.timeout(60):
        while len(await world.children(order_id)) == 10:
            await asyncio.sleep(0.02)


async def test_a_restart_within_the_minute_begins_no_window_anew(world: World) -> None:
    order_id = await many(world)
    await world.let_go(D(60))
    await world.until(lambda row: row["filled"] >= 100, order_id)
    await put(world, "max_children_1m", "8", "strategy", "s")
    await world.kill_worker(lapsed=True)
    sent = len(await world.children(order_id))
    world.revive()
    await halted(world, "strategy", "s")
    assert len(await world.children(order_id)) <= max(8, sent)


async def test_a_storm_of_refusals_stops_the_account(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker refuses everything: no more than one child beyond the limit."""
    await put(world, "max_rejections_1m", "3", "account", "main")
    while "main" not in world.worker.desks:
        await asyncio.sleep(0.01)

    async def refuse(ticket: Any) -> Refused:
        return Refused("no_funds", "no funds", world.worker.market.clock.now())

    monkeypatch.setattr(world.worker.desks["main"].broker, "submit", refuse)
    orders = [await many(world, None) for _ in range(3)]
    await world.let_go(D(60))
    await halted(world, "account", "main")
    await asyncio.sleep(0.5)
    async with world.database.connection() as connection:
        refused = await connection.fetchval(
            "SELECT count(*) FROM children WHERE status = 'rejected'"
        )
    assert refused <= 3 + len(orders)


async def test_what_our_own_adapter_kept_back_is_no_refusal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(world, "max_rejections_1m", "3", "account", "main")
    while "main" not in world.worker.desks:
        await asyncio.sleep(0.01)

    async def withhold(ticket: Any) -> Withheld:
        return Withheld("rate_limit_reached", "no request is left")

    monkeypatch.setattr(world.worker.desks["main"].broker, "submit", withhold)
    orders = [await many(world, None) for _ in range(3)]
    await world.let_go(D(60))
    async with asyncio.timeout(60):
        while sum([len(await world.children(o)) for o in orders]) < 8:
            await asyncio.sleep(0.02)
    async with world.database.connection() as connection:
        # Nor where it is counted again from the journal.
        counted = await paces.lately(connection, account="main", since=0)
        assert not any(refused for _, _, _, refused in counted)
        assert not await connection.fetchval("SELECT count(*) FROM controls WHERE halted")
        found = await connection.fetch("SELECT DISTINCT status, reason FROM children")
    assert ("rejected", "not_sent.rate_limit_reached") in [tuple(row) for row in found]


async def told(world: World) -> Any:
    """Profit and loss of the account, once it is told for the first time."""
    async with asyncio.timeout(30), world.database.connection() as connection:
        while (found := await connection.fetchrow("SELECT * FROM profits")) is None:
            await asyncio.sleep(0.02)
    return found


async def test_an_account_that_lost_too_much_is_halted(world: World) -> None:
    await told(world)
    await put(world, "max_daily_loss", "1000", "account", "main")
    await world.let_go(D(60))
    bought = await world.order(qty="500", algo="market")
    await world.done(bought)
    async with world.database.connection() as connection:
        # As if it had been bought three above the market.
        await connection.execute("UPDATE positions SET average_price = average_price + 3")
    await halted(world, "account", "main")
    with pytest.raises(Refusal) as refused:
        await world.order(qty="100", algo="market")
    assert refused.value.code in ("risk.halted", "risk.max_daily_loss")
    # What closes goes on.
    closing = await world.order(side="sell", qty="500", algo="market", reduce_only=True)
    assert (await world.done(closing))["filled"] == 500


async def test_a_release_says_what_throws_the_switch_again(world: World) -> None:
    await told(world)
    await world.let_go(D(60))
    bought = await world.order(qty="500", algo="market")
    await world.done(bought)
    await put(world, "max_daily_loss", "1000", "account", "main")
    # Another name's limit is another switch's affair.
    await put(world, "max_drawdown", "1000")
    async with world.database.connection() as connection:
        await connection.execute("UPDATE positions SET average_price = average_price + 4")
    await halted(world, "account", "main")
    await halted(world, "all", "*")
    main = Target(Switched.ACCOUNT, "main")
    released = await kill_switches.release(world.service, CALLER, main, "looked at it")
    [cause] = released.causes
    assert cause.startswith("max_daily_loss 1000 is still broken: lost ")
    assert released_told(released)["causes"] == [cause]
    await halted(world, "account", "main")
    await put(world, "max_daily_loss", "50000", "account", "main")
    assert (await kill_switches.release(world.service, CALLER, main, "raised")).causes == ()
    # Two looks of the worker, and the switch stays released.
    await asyncio.sleep(2.2)
    assert await thrown(world) == [("all", "*", "slipstream")]


async def test_a_limit_of_the_house_counts_accounts_of_other_workers(world: World) -> None:
    await told(world)
    async with world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO profits (account, day, opened, best, latest)"
            " VALUES ('elsewhere', '2026-01-05', 0, 0, -2000)"
        )
    await put(world, "max_daily_loss", "1000")
    await halted(world, "all", "*")


async def test_profit_and_loss_is_told_by_the_day(world: World) -> None:
    row = await told(world)
    assert (row["opened"], row["best"], row["latest"]) == (0, 0, 0)
    async with world.database.connection() as connection:
        await connection.execute(
            "UPDATE profits SET day = day - 1, opened = 5, best = 9, latest = 7"
        )
        async with asyncio.timeout(30):
            while row["opened"] != 7:
                row = await connection.fetchrow("SELECT * FROM profits WHERE account = 'main'")
                await asyncio.sleep(0.02)
    assert (row["best"], row["latest"]) == (9, 0)
