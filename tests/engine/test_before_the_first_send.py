"""A worker that takes over asks the broker, and books the answer, before it sends anything."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from app.domain.instant import SECOND, Instant
from app.ports import BustReport, ExecutionReport, OrderReport, Outcome, Ticket
from tests.engine.test_ills import with_broker
from tests.engine.test_recovery import Flaky
from tests.world import open_world

SLOW_SECONDS = 3.0
"""Longer than a worker that does not wait for the answer needs to send what is due."""


class Slow(Flaky):
    """The broker, which takes its time to answer; `told` is what it did, in order."""

    told: tuple[str, ...] = ()

    async def submit(self, ticket: Ticket) -> Outcome:
        self.told += ("sent",)
        return await self.inner.submit(ticket)

    async def open_orders(self) -> Sequence[OrderReport]:
        answer_at = time.monotonic() + SLOW_SECONDS
        while "sent" not in self.told and time.monotonic() < answer_at:
            await asyncio.sleep(0.01)
        return await self.inner.open_orders()

    async def executions(self, since: Instant) -> Sequence[ExecutionReport | BustReport]:
        found = await self.inner.executions(since)
        self.told += ("answered",)
        return found


async def test_the_broker_is_asked_before_anything_is_sent(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path, feed="synthetic-live") as world:
        order_id = await world.order(
            qty="40", algo="twap", duration=20 * SECOND, params={"slices": 20}
        )
        await world.until(lambda row: row["filled"] > 0, order_id)
        await world.kill_worker()
        async with world.database.connection() as connection:
            await connection.execute("UPDATE leases SET until = NULL")
        brokers: list[Slow] = []

        def slow(inner: object) -> Slow:
            brokers.append(Slow(inner, []))  # type: ignore[arg-type]
            return brokers[-1]

        # Slices come due while nobody is there: the new owner has something to send at once.
        await asyncio.sleep(1.5)
        world.revive(lambda worker: with_broker(worker, slow))
        async with asyncio.timeout(60):
            while not brokers or "sent" not in brokers[0].told:
                await asyncio.sleep(0.01)
        assert brokers[0].told[0] == "answered"
