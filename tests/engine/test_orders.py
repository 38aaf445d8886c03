"""The main job: orders go in, children and fills come out, and everything adds up."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE, Instant, from_datetime
from app.domain.refusal import Conflict, Refusal, Stale
from app.engine import commands
from app.engine.commands import Changes
from tests.world import CALLER, World, emptied, open_world

TEN_MINUTES = 10 * MINUTE


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path) as opened:
        yield opened


ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("market", {}),
    ("limit", {"limit_price": "101.00"}),
    ("twap", {"params": {"slices": 5}, "duration": TEN_MINUTES}),
    ("twap", {"params": {"slices": 5, "placement": "cross"}, "duration": TEN_MINUTES}),
    ("vwap", {"duration": 3 * TEN_MINUTES}),
    ("vwap", {"duration": 3 * TEN_MINUTES, "max_participation": "0.05"}),
]


@pytest.mark.parametrize(("algo", "fields"), ORDERS)
@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_an_order_is_worked_to_its_end(
    world: World, algo: str, fields: dict[str, Any], side: str
) -> None:
    if side == "sell" and algo == "limit":
        fields = {"limit_price": "99.00"}
    order_id = await world.order(qty="1200", side=side, algo=algo, **fields)
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["filled"]) == ("filled", 1200)
    children, fills = await world.children(order_id), await world.fills(order_id)
    assert sum(Decimal(c["filled"]) for c in children) == 1200
    assert sum(Decimal(f["qty"]) for f in fills) == 1200
    tape = world.worker.market.feed.tape("ACME")
    purposes = {c["id"]: c["purpose"] for c in children}
    for fill in fills:
        quote = tape.quote(_instant(fill["at"]))
        assert quote is not None
        price = Decimal(fill["price"])
        assert quote.bid <= price <= quote.ask
        if purposes[fill["child_id"]] == "cross":
            assert price == (quote.ask if side == "buy" else quote.bid)


def _instant(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


async def test_events_have_no_gap_and_every_sum_adds_up(world: World) -> None:
    order_id = await world.order(qty="3000", algo="twap", duration=TEN_MINUTES)
    await world.let_go()
    row = await world.done(order_id)
    async with world.database.connection() as connection:
        events = await connection.fetch(
            "SELECT seq, type, data FROM events WHERE order_id = $1 ORDER BY seq", order_id
        )
    assert [e["seq"] for e in events] == list(range(1, row["seq"] + 1))
    assert events[0]["type"] == "order.accepted"
    assert events[-1]["type"] == "order.filled"
    for event in events:
        sums = {k: Decimal(v) for k, v in event["data"]["order"].items() if k in SUMS}
        parts = sum(sums[k] for k in ("filled", "working", "unknown", "unsent", "canceled"))
        assert parts == sums["qty"] + sums["excess"]


SUMS = ("qty", "filled", "working", "unknown", "unsent", "canceled", "excess")


async def test_speed_does_not_change_the_children(database_url: str, tmp_path: Path) -> None:
    async def children(world: World, speed: Decimal) -> list[tuple[Any, ...]]:
        scene_start = 1_767_623_400_000_000 + MINUTE
        order_id = await world.order(
            qty="4000",
            algo="twap",
            start=scene_start,
            duration=TEN_MINUTES,
            params={"slices": 8, "seed": "same"},
        )
        await world.let_go(speed)
        await world.done(order_id)
        keys = ("number", "intended_at", "qty", "price", "purpose", "filled", "status")
        return [tuple(c[k] for k in keys) for c in await world.children(order_id)]

    async with open_world(database_url, tmp_path / "a") as world:
        fast = await children(world, Decimal(0))
        await world.hold()
    await emptied(database_url)
    async with open_world(database_url, tmp_path / "b") as world:
        slow = await children(world, Decimal(150))
    assert fast == slow
    assert len(fast) > 8


async def test_pause_pulls_resting_children_and_resume_goes_on(world: World) -> None:
    order_id = await world.order(
        qty="3000", algo="limit", limit_price="95.00", duration=TEN_MINUTES
    )
    await world.let_go(Decimal(20))
    await world.until(lambda row: row["working"] > 0, order_id)
    await commands.pause(world.service, CALLER, order_id)
    row = await world.until(lambda row: row["status"] == "paused" and row["working"] == 0, order_id)
    end = row["end_at"]
    await commands.resume(world.service, CALLER, order_id)
    row = await world.until(lambda row: row["status"] == "working" and row["working"] > 0, order_id)
    assert row["end_at"] == end
    await commands.cancel(world.service, CALLER, order_id)
    row = await world.done(order_id)
    assert (row["status"], row["reason"], row["canceled"]) == ("canceled", "requested", 3000)


async def test_an_order_that_cannot_fill_expires_at_its_end(world: World) -> None:
    order_id = await world.order(qty="100", algo="limit", limit_price="90.00", duration=TEN_MINUTES)
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["reason"]) == ("expired", "window_ended")
    assert row["finished_at"] >= row["end_at"]


async def test_amend_changes_what_is_left(world: World) -> None:
    order_id = await world.order(qty="4000", algo="twap", duration=TEN_MINUTES)
    await world.let_go(Decimal(100))
    row = await world.until(lambda row: row["filled"] >= 500, order_id)
    await world.hold()
    # Until the worker has heard of it and nothing moves any more.
    await asyncio.sleep(0.5)
    row = await world.row(order_id)
    with pytest.raises(Conflict):
        await commands.amend(
            world.service, CALLER, order_id, row["version"], Changes(qty=Decimal(100))
        )
    with pytest.raises(Stale):
        await commands.amend(
            world.service, CALLER, order_id, row["version"] + 7, Changes(qty=Decimal(5000))
        )
    row = await commands.amend(
        world.service, CALLER, order_id, row["version"], Changes(qty=Decimal(5000))
    )
    assert row["qty"] == 5000
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["filled"]) == ("filled", 5000)


async def test_a_halt_stops_new_children_and_lifting_it_goes_on(world: World) -> None:
    order_id = await world.order(qty="1000", algo="twap", duration=TEN_MINUTES)
    async with world.database.connection() as connection:
        await connection.execute("UPDATE controls SET halted = true, reason = 'drill'")
    await world.let_go(Decimal(20))
    await world.until(lambda row: row["status"] == "working", order_id)
    await asyncio.sleep(1)
    assert await world.children(order_id) == []
    async with world.database.connection() as connection:
        await connection.execute("UPDATE controls SET halted = false")
    async with asyncio.timeout(30):
        # As fast as possible, the window would be over before the worker looked.
        while not await world.children(order_id):
            await asyncio.sleep(0.02)
    await world.let_go()
    row = await world.done(order_id)
    assert row["status"] == "filled"


async def test_interval_vwap_is_the_tapes_own(world: World) -> None:
    order_id = await world.order(qty="2000", algo="vwap", duration=3 * TEN_MINUTES)
    await world.let_go()
    await world.done(order_id)
    # Measured a moment after the end is booked.
    row = await world.until(lambda row: row["measured_to"] == row["finished_at"], order_id)
    tape = world.worker.market.feed.tape("ACME")
    traded = tape.traded(row["start_at"], row["measured_to"])
    assert (row["market_volume"], row["market_notional"]) == (traded.volume, traded.notional)
    assert row["own_volume_included"] is False, "the paper venue prints nothing on the tape"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (Changes(qty=Decimal(50_000_000)), "risk.max_order_notional"),
        (Changes(limit_price=Decimal("900000.00")), "risk.max_order_notional"),
        (Changes(params={"max_child": "0"}), "wrong_lot"),
        (Changes(params={"max_child": "0.5"}), "wrong_lot"),
    ],
)
async def test_what_may_not_be_entered_may_not_be_amended_to(
    world: World, changes: Changes, code: str
) -> None:
    order_id = await world.order(qty="100", algo="twap", duration=TEN_MINUTES)
    # Market time is held: the worker starts the order, and then nothing moves.
    await world.until(lambda row: row["status"] == "working", order_id)
    await asyncio.sleep(0.2)
    row = await world.row(order_id)
    with pytest.raises(Refusal) as refused:
        await commands.amend(world.service, CALLER, order_id, row["version"], changes)
    assert refused.value.code == code
    after = await world.row(order_id)
    assert (after["version"], after["qty"]) == (row["version"], 100)
