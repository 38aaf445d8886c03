"""A child that the broker lists as open though it is over: believed when it is told again."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.lifecycle import ChildStatus
from app.engine import inquiry
from app.ports import Broker, OrderReport, Terms
from tests.engine.test_ills import revived, with_broker
from tests.engine.test_recovery import Flaky
from tests.world import World, open_world

ALARMS = "SELECT count(*) FROM alerts WHERE rule = 'child_open_after_its_end'"


class Listing(Flaky):
    """Lists children that are over as open, so many times each; counts cancels and lists."""

    def __init__(self, inner: Broker, times: int) -> None:
        super().__init__(inner, ())
        self.times, self.listed, self.cancels = times, 0, 0

    async def open_orders(self) -> Sequence[OrderReport]:
        told = list(await self.inner.open_orders())
        over = {e.child_id: e for e in await self.inner.executions(0)}
        if over and self.times:
            self.times -= 1
            told += [
                OrderReport(
                    child_id=child_id,
                    broker_order_id=e.broker_order_id,
                    status=ChildStatus.WORKING,
                    at=e.at,
                    filled=Decimal(0),
                    terms=Terms(e.symbol, e.side, e.qty, e.price, False),
                )
                for child_id, e in over.items()
            ]
        self.listed += bool(over)
        return told

    async def cancel(self, child_id: str, at: Any) -> None:
        self.cancels += 1
        await self.inner.cancel(child_id, at)


async def filled_and_listed(world: World, times: int) -> tuple[Listing, int]:
    """After an order is filled the broker is asked a few times; how many alarms there are."""
    made: list[Listing] = []

    def listing(inner: Broker) -> Broker:
        made.append(Listing(inner, times))
        return made[-1]

    await revived(world, lambda worker: with_broker(worker, listing))
    order = await world.order(qty="1", algo="market")
    await world.let_go()
    await world.done(order)
    broker = made[-1]
    enough = broker.listed + 4
    async with asyncio.timeout(60):
        while broker.listed < enough:
            await asyncio.sleep(0.02)
    async with world.database.connection() as connection:
        return broker, await connection.fetchval(ALARMS)


@pytest.mark.parametrize(("times", "undead"), [(1, False), (1_000, True)])
async def test_it_is_believed_when_it_is_told_again(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    undead: bool,
) -> None:
    """A list that was under way while the child ended is of before."""
    monkeypatch.setattr(inquiry, "RECONCILE_SECONDS", 0.05)
    monkeypatch.setattr(inquiry, "UNKNOWN_SECONDS", 0.05)
    async with open_world(database_url, tmp_path) as world:
        broker, alarms = await filled_and_listed(world, times)
    assert bool(alarms) == undead
    assert bool(broker.cancels) == undead
