"""Brackets: what an entry filled always has one open exit, until it is taken away, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.audit import Terms, audit
from app.domain.bracket import Basis, Bracket, Level
from app.domain.instant import SECOND
from app.domain.refusal import Conflict, Refusal
from app.engine import commands, kill_switches
from app.engine.quotes import scene_for
from app.store import exits as store
from tests.reruns import watched
from tests.world import CALLER, World, open_world


def offsets(target: str | None, stop: str | None, **more: Any) -> Bracket:
    def level(text: str | None) -> Level | None:
        return Level(Basis.OFFSET, Decimal(text)) if text is not None else None

    return Bracket(level(target), level(stop), **more)


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        await watched(opened)
        await opened.let_go(Decimal(60))
        yield opened


async def exits(world: World, entry: str) -> list[dict[str, Any]]:
    async with world.database.connection() as connection:
        found = await connection.fetch(
            "SELECT * FROM orders WHERE group_id = $1 AND role = 'exit' ORDER BY id", entry
        )
    return [dict(row) for row in found]


async def until_exit(world: World, entry: str, **columns: Any) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            if world.task.done():
                world.task.result()
            found = await exits(world, entry)
            if found and all(found[-1][name] == value for name, value in columns.items()):
                return found[-1]
            await asyncio.sleep(0.01)


async def test_a_fill_has_its_exit(world: World) -> None:
    entry = await world.order(qty="100", algo="market", bracket=offsets("20.00", "10.00"))
    row = await world.done(entry)
    assert (row["status"], row["role"], row["group_id"]) == ("filled", "entry", entry)
    exit_order = await until_exit(world, entry, status="working", working=100)
    average = row["filled_notional"] / row["filled"]
    assert (exit_order["side"], exit_order["qty"], exit_order["reduce_only"]) == ("sell", 100, True)
    assert exit_order["client_order_id"] == f"exit-{entry}-1"
    assert Decimal(0) <= exit_order["limit_price"] - average - 20 < Decimal("0.01")
    stop = Decimal(exit_order["params"]["stop"])
    assert Decimal(0) <= stop - average + 10 < Decimal("0.01")


async def held(world: World) -> Decimal:
    async with world.database.connection() as connection:
        found = await connection.fetchval("SELECT qty FROM positions WHERE symbol = 'ACME'")
    return found or Decimal(0)


async def events(world: World, order_id: str) -> list[str]:
    async with world.database.connection() as connection:
        found = await connection.fetch(
            "SELECT type FROM events WHERE order_id = $1 ORDER BY seq", order_id
        )
    return [row["type"] for row in found]


async def alerted(world: World) -> dict[str, str]:
    async with world.database.connection() as connection:
        found = await connection.fetch("SELECT rule, message FROM alerts")
    return {row["rule"]: row["message"] for row in found}


async def books_are_right(world: World) -> None:
    report = await audit(world.database.url, [], Terms(0))
    found = [(c.name, f.subject, f.detail) for c in report.checks for f in c.faults]
    assert not [one for one in found if "exit" in one[0] or "reduce" in one[0]], found
    assert any("exits fill" in c.name and c.checked for c in report.checks)


async def test_the_stop_is_remembered_and_everything_crosses(world: World) -> None:
    entry = await world.order(
        side="sell", qty="300", algo="market", bracket=offsets("50.00", "0.20")
    )
    await world.done(entry)
    exit_order = await until_exit(world, entry, status="filled")
    told = await events(world, exit_order["id"])
    assert told.count("order.stop_hit") == 1
    assert exit_order["params"]["forced"] == "stop"
    assert (exit_order["filled"], exit_order["limit_price"]) == (300, None)
    assert await held(world) == 0
    assert "stop_hit" in await alerted(world)
    await asyncio.sleep(0.3)
    assert len(await exits(world, entry)) == 1
    await books_are_right(world)


async def test_the_target_is_taken_where_it_rests(world: World) -> None:
    entry = await world.order(qty="100", algo="market", bracket=offsets("0.05", None))
    row = await world.done(entry)
    exit_order = await until_exit(world, entry, status="filled")
    average = row["filled_notional"] / row["filled"]
    assert exit_order["side"] == "sell"
    assert exit_order["filled_notional"] / 100 - average >= Decimal("0.05")
    assert "order.stop_hit" not in await events(world, exit_order["id"])
    assert await held(world) == 0
    await books_are_right(world)


async def test_the_exit_follows_partial_fills_and_a_cancel(world: World) -> None:
    entry = await world.order(
        qty="600", algo="twap", duration=1800 * SECOND, bracket=offsets("40.00", "20.00")
    )
    await world.until(lambda row: row["filled"] >= 100, entry)
    await until_exit(world, entry)
    await commands.cancel(world.service, CALLER, entry)
    filled = (await world.done(entry))["filled"]
    assert 0 < filled < 600
    exit_order = await until_exit(world, entry, qty=filled, working=filled)
    assert len(await exits(world, entry)) == 1
    assert "order.amended" in await events(world, exit_order["id"])
    await books_are_right(world)


async def test_an_exit_that_somebody_ends_leaves_the_position_and_an_alert(world: World) -> None:
    entry = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    exit_order = await until_exit(world, entry, status="working", working=100)
    with pytest.raises(Conflict) as refused:
        await commands.pause(world.service, CALLER, exit_order["id"])
    assert refused.value.code == "exit_of_bracket"
    await commands.cancel(world.service, CALLER, exit_order["id"])
    await until_exit(world, entry, status="canceled")
    async with asyncio.timeout(60):
        while "no_exit" not in await alerted(world):
            await asyncio.sleep(0.01)
    assert (await alerted(world))["no_exit"].startswith("100 of buy ACME stand without an exit")
    await asyncio.sleep(0.3)
    assert (len(await exits(world, entry)), await held(world)) == (1, 100)


async def test_a_position_that_is_sold_by_hand_takes_its_exit_along(world: World) -> None:
    entry = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    await until_exit(world, entry, working=100)
    await world.done(await world.order(side="sell", qty="100", algo="market"))
    exit_order = await until_exit(world, entry, status="canceled")
    assert exit_order["reason"] == "nothing_to_reduce"
    await world.done(await world.order(qty="100", algo="market"))
    await asyncio.sleep(0.3)
    assert len(await exits(world, entry)) == 1
    assert "no_exit" not in await alerted(world)


async def test_a_flatten_ends_exits_and_closes_once(world: World) -> None:
    entry = await world.order(qty="200", algo="market", bracket=offsets("40.00", "20.00"))
    await until_exit(world, entry, working=200)
    target = kill_switches.Target(kill_switches.Scope.ALL, "*")
    await kill_switches.throw(world.service, CALLER, target, kill_switches.Level.FLATTEN, "drill")
    async with asyncio.timeout(60):
        while await held(world):
            await asyncio.sleep(0.01)
    exit_order = await until_exit(world, entry, status="canceled")
    assert (exit_order["reason"], exit_order["filled"]) == ("kill_switch:all:*", 0)
    await kill_switches.release(world.service, CALLER, target, "over")
    await asyncio.sleep(0.3)
    assert len(await exits(world, entry)) == 1
    await books_are_right(world)


async def test_a_stop_that_is_hit_while_the_entry_fills_ends_the_entry(world: World) -> None:
    """What it would still buy would be sold at once."""
    entry = await world.order(
        side="sell", qty="900", algo="twap", duration=1800 * SECOND, bracket=offsets(None, "0.10")
    )
    row = await world.done(entry)
    assert (row["status"], row["reason"]) == ("canceled", "stop_hit")
    assert 0 < row["filled"] < 900
    async with asyncio.timeout(60):
        while await held(world):
            await asyncio.sleep(0.01)
    assert sum(leg["filled"] for leg in await exits(world, entry)) == row["filled"]
    await books_are_right(world)


async def test_a_fill_that_spoils_reward_to_risk_is_closed_at_once(world: World) -> None:
    """1 : 2 at the price it was accepted at; 3,000 shares cost more than that."""
    await world.hold()
    scene = await scene_for(world.service, "ACME")
    assert scene.quote is not None
    bid = scene.quote.bid
    setup = Bracket(
        Level(Basis.PRICE, bid - Decimal("0.20")), Level(Basis.PRICE, bid + Decimal("0.10"))
    )
    with pytest.raises(Refusal) as refused:
        await world.order(
            side="sell", qty="100", algo="market", bracket=replace(setup, minimum=Decimal(3))
        )
    assert (refused.value.code, refused.value.detail["reward_risk"]) == ("risk.reward_risk", "2.00")
    entry = await world.order(side="sell", qty="3000", algo="market", bracket=setup)
    await world.let_go(Decimal(60))
    row = await world.done(entry)
    async with asyncio.timeout(60):
        while await held(world):
            await asyncio.sleep(0.01)
    legs = await exits(world, entry)
    assert legs[0]["params"]["forced"] == "reward_risk"
    assert sum(leg["filled"] for leg in legs) == row["filled"]
    said = (await alerted(world))["reward_risk_after_fill"]
    assert "under 2: it is closed" in said, said
    await books_are_right(world)


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_death_in_the_midst_enters_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The worker dies right before, or right after its exit is committed."""
    reached = asyncio.Event()
    answered = store.answered

    async def dies(connection: Any, **arguments: Any) -> None:
        if place == "after":
            await answered(connection, **arguments)
            await connection.execute("COMMIT")
            await connection.execute("BEGIN")
        reached.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(store, "answered", dies)
    entry = await world.order(qty="100", algo="market", bracket=offsets("40.00", "20.00"))
    await asyncio.wait_for(reached.wait(), 20)
    await world.kill_worker(lapsed=True)
    monkeypatch.setattr(store, "answered", answered)
    world.revive()
    exit_order = await until_exit(world, entry, status="working", working=100)
    await asyncio.sleep(0.3)
    assert (len(await exits(world, entry)), exit_order["client_order_id"][-2:]) == (1, "-1")


async def test_the_rest_goes_on_in_the_next_session(world: World) -> None:
    entry = await world.order(qty="100", algo="market", bracket=offsets("90.00", "40.00"))
    first = await until_exit(world, entry, working=100)
    await world.hold()
    sessions = world.worker.market.watched["ACME"].sessions
    world.worker.market.reach(sessions[0].closes_at + 60 * SECOND)
    await world.let_go()
    async with asyncio.timeout(30):
        while len(legs := await exits(world, entry)) < 2 or legs[1]["working"] < 100:
            assert not world.task.done()
            await asyncio.sleep(0.01)
    assert [leg["client_order_id"][-2:] for leg in legs[:2]] == ["-1", "-2"]
    assert (legs[0]["status"], legs[0]["filled"]) == ("expired", 0)
    assert (legs[1]["qty"], legs[1]["limit_price"]) == (100, first["limit_price"])
    assert legs[1]["params"]["stop"] == first["params"]["stop"]
    assert legs[1]["start_at"] >= sessions[1].opens_at


async def test_an_exit_that_must_not_be_held_crosses_before_the_close(world: World) -> None:
    entry = await world.order(
        qty="100", algo="market", bracket=offsets("90.00", "40.00", exit_at_close=True)
    )
    await until_exit(world, entry, working=100)
    await world.let_go()
    exit_order = await until_exit(world, entry, status="filled")
    assert exit_order["params"]["forced"] == "session_end"
    assert "order.exit_forced" in await events(world, exit_order["id"])
    before = exit_order["session_closes_at"] - exit_order["finished_at"]
    assert 0 < before <= 60 * SECOND
    assert await held(world) == 0
