"""Many orders that come at once: a desk sees them in parts, and misses none."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.domain.quantity import Side
from app.domain.request import Request
from app.engine import acting, desk, market, worker
from app.engine.accept_many import accept_many
from app.engine.given import Given
from app.store import market_state, open_orders
from app.store.arrival import Accepted
from tests.reruns import watched
from tests.world import CALLER, World, open_world

CROWD = 9


async def test_one_ring_is_enough_for_all_of_them(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "LOADED_AT_ONCE", 2)
    async with open_world(database_url, tmp_path, feed="synthetic-live") as world:
        await watched(world)
        first = await world.order(qty="1", algo="market")
        await world.done(first)
        # From here on nobody looks by the clock.
        monkeypatch.setattr(worker, "LOOK_SECONDS", 1e9)
        monkeypatch.setattr(desk, "VERSIONS_SECONDS", 1e9)
        for order_id in await crowd(world):
            await world.done(order_id)


async def crowd(world: World) -> list[str]:
    """Enter orders that all come at once."""
    alike = Request("main", "ACME", Side.BUY, qty=Decimal(1), algo="market")
    asked = [(alike._replace(client_order_id=f"c{n}"), Given.of({"n": n})) for n in range(CROWD)]
    entered = await accept_many(world.service, CALLER, asked)
    assert all(isinstance(outcome, Accepted) for outcome in entered)
    return [outcome.row["id"] for outcome in entered if isinstance(outcome, Accepted)]


async def test_the_market_is_told_between_any_two_parts_of_them(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox stands still until all of them are worked, and orders are refused when nobody has
    told it for three seconds: with fifteen thousand it was ten."""
    monkeypatch.setattr(desk, "LOADED_AT_ONCE", 2)
    monkeypatch.setattr(acting, "AT_ONCE", 2)
    monkeypatch.setattr(market, "TELL_SECONDS", 0.0)
    steps: list[str] = []

    def noted(owner: Any, name: str) -> None:
        todo: Callable[..., Awaitable[Any]] = getattr(owner, name)

        async def noting(*given: Any, **named: Any) -> Any:
            done = await todo(*given, **named)
            steps.extend([name] if done is not False else [])
            return done

        monkeypatch.setattr(owner, name, noting)

    async with open_world(database_url, tmp_path) as world:
        await watched(world)
        async with asyncio.timeout(30):
            # While it opens, others tell the market.
            while not world.worker.desks:
                await asyncio.sleep(0.01)
        noted(open_orders, "load")
        noted(market_state, "tell_clock")
        noted(acting.Acting, "due")
        entered = await crowd(world)
        await world.let_go()
        for order_id in entered:
            await world.done(order_id)
    for part in ("load", "due"):
        these = [step for step in steps if step in (part, "tell_clock")]
        assert these.count(part) > CROWD // 2
        assert (part, part) not in pairwise(these)
