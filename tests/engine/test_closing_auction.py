"""An order that ends in the closing auction, through the whole house, and through deaths."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.audit import audit
from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.refusal import Refusal
from app.engine import acting, answers, books, commands, sending
from app.engine.commands import Changes
from app.feeds.synthetic import STARTS_AT
from tests.engine.test_recovery import assert_books_agree, ledger_rows
from tests.world import CALLER, World, open_world

CLOSE: Instant = STARTS_AT + 390 * MINUTE
CUTOFF = CLOSE - 660 * SECOND
START = CLOSE - 30 * MINUTE
BEGINS = "2026-01-05T20:28:00Z"

FAR_BELOW = {"algo": "limit", "limit_price": "50.00"}
NEAR = {"algo": "twap", "params": {"completion": "close", "slices": 10, "placement": "cross"}}


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path, feed_start=BEGINS) as opened:
        yield opened


async def entered(world: World, **fields: Any) -> str:
    chosen = {"params": {"completion": "close"}, **fields}
    return await world.order(qty="3000", start=START, **chosen)


async def assert_nothing_is_wrong(url: str, folder: Path) -> None:
    report = await audit(url, [folder / "paper.sqlite3"])
    assert [(check.name, check.faults) for check in report.failed()] == []


async def for_the_auction(world: World, order_id: str) -> list[dict[str, Any]]:
    return [c for c in await world.children(order_id) if c["purpose"] == "close"]


async def test_what_a_schedule_leaves_fills_at_the_closing_price(
    world: World, database_url: str, tmp_path: Path
) -> None:
    order_id = await entered(world, **NEAR)
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["filled"], row["end_at"]) == ("filled", 3000, CLOSE)
    (child,) = await for_the_auction(world, order_id)
    assert 0 < Decimal(child["qty"]) <= 1500
    assert (child["time_in_force"], child["status"]) == ("cls", "filled")
    (fill,) = [f for f in await world.fills(order_id) if f["child_id"] == child["id"]]
    last = world.worker.market.feed.tape("ACME").last(CLOSE - 1)
    assert last is not None
    assert Decimal(fill["price"]) == last[0]
    limit = world.service.rules.policy.collar
    assert abs(Decimal(child["price"]) / last[0] - 1 - limit) < Decimal("0.01")
    await assert_books_agree(world, tmp_path, order_id)
    await assert_nothing_is_wrong(database_url, tmp_path)


async def test_beyond_the_limit_it_expires_after_the_auction(
    world: World, database_url: str, tmp_path: Path
) -> None:
    order_id = await entered(world, **FAR_BELOW)
    await world.let_go()
    row = await world.done(order_id)
    assert (row["status"], row["reason"], row["canceled"]) == ("expired", "window_ended", 3000)
    rested, child = await world.children(order_id)
    assert (rested["purpose"], rested["status"]) == ("rest", "canceled")
    assert (child["purpose"], child["status"], child["price"]) == ("close", "expired", "50")
    await assert_nothing_is_wrong(database_url, tmp_path)


PLACES = [
    (acting, "cancel.decided", 0),
    (acting, "decision.made", 0),
    (acting, "decision.made", 1),
    (acting, "intent.remembered", 0),
    (acting, "intent.remembered", 1),
    (sending, "send.leased", 0),
    (sending, "send.answered", 0),
    (answers, "answer.recorded", 0),
    (books, "report.heard", 0),
    (books, "report.heard", 1),
    (books, "facts.committed", 1),
]
"""Modules, places in them, and how often each is passed after the cutoff before it kills."""


def dies(
    world: World, patch: pytest.MonkeyPatch, module: Any, place: str, since: Instant, passed: int
) -> Callable[[], Awaitable[None]]:
    """Have the worker die without any goodbye where it passes `place` for the time after `passed`
    times since a moment of the market; what is returned waits for it."""
    met = 0
    brokers: list[Any] = []

    def reach(name: str) -> None:
        nonlocal met
        if name != place or world.worker.market.clock.now() < since or met > passed:
            return
        met += 1
        if met > passed:
            brokers.extend(d.broker for d in world.worker.desks.values())
            world.worker.desks.clear()
            world.worker._keeper._held.clear()
            raise asyncio.CancelledError

    async def died() -> None:
        await asyncio.wait([world.task], timeout=30)
        assert brokers
        assert world.task.done()
        for broker in brokers:
            await broker.close()

    patch.setattr(module, "reach", reach)
    return died


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("module", "place", "passed"), PLACES, ids=[f"{name}-{n}" for _, name, n in PLACES]
)
async def test_dead_around_the_cutoff_it_enters_once(
    world: World,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    place: str,
    passed: int,
) -> None:
    order_id = await entered(world, **FAR_BELOW)
    died = dies(world, monkeypatch, module, place, CUTOFF, passed)
    await world.let_go()
    await died()
    world.revive()
    row = await world.done(order_id)
    assert (row["status"], row["canceled"]) == ("expired", 3000)
    at_venue = ledger_rows(
        tmp_path, "SELECT sum(CAST(qty AS INTEGER)) FROM orders WHERE time_in_force = 'cls'"
    )
    assert at_venue == [(3000,)]
    await assert_books_agree(world, tmp_path, order_id)
    await assert_nothing_is_wrong(database_url, tmp_path)


async def test_a_dead_owner_after_the_close_leaves_it_in_the_auction(
    world: World, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await entered(world, **NEAR)
    died = dies(world, monkeypatch, books, "facts.committed", CLOSE, 0)
    await world.let_go()
    await died()
    await world.lapse()
    before = await world.row(order_id)
    world.revive()
    row = await world.done(order_id)
    assert (before["status"], row["status"], row["filled"]) == ("closing", "filled", 3000)
    (child,) = await for_the_auction(world, order_id)
    assert child["cancel_requested_at"] is None
    await assert_nothing_is_wrong(database_url, tmp_path)


async def test_the_user_can_take_it_out_until_the_close(world: World, tmp_path: Path) -> None:
    order_id = await entered(world, **FAR_BELOW)
    await world.let_go(Decimal(600))
    await world.until(lambda row: row["next_child"] == 3, order_id)
    await commands.cancel(world.service, CALLER, order_id)
    row = await world.done(order_id)
    assert (row["status"], row["reason"]) == ("canceled", "requested")
    (child,) = await for_the_auction(world, order_id)
    assert child["status"] == "canceled"


async def test_an_account_without_auctions_is_told_at_once(world: World) -> None:
    world.service = replace(world.service, auctions=frozenset())
    with pytest.raises(Refusal, match="no orders for the closing auction") as refused:
        await entered(world, **NEAR)
    assert refused.value.field == "params.completion"


async def test_an_amendment_is_held_against_the_close(world: World) -> None:
    order_id = await entered(world, **NEAR)
    changes = Changes(end=CLOSE - MINUTE)
    with pytest.raises(Refusal, match="must end at the session's close"):
        await commands.amend(world.service, CALLER, order_id, None, changes)
    other = await entered(world, algo="twap", params={}, duration=10 * MINUTE)
    to_close = Changes(params={"completion": "close"})
    with pytest.raises(Refusal, match="must end at the session's close"):
        await commands.amend(world.service, CALLER, other, None, to_close)
