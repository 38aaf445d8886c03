"""What a broker says may be unreadable, and it may be away: its own order or child waits."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.domain.fact import Purpose, TimeInForce
from app.domain.identity import child_id
from app.domain.instant import MINUTE, Instant
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO, Side
from app.ports import Broker, ExecutionReport, OrderReport, Report, Ticket
from app.store.database import unreachable
from tests.engine.test_ills import TEN_MINUTES, alerts_of, revived, with_broker
from tests.engine.test_recovery import Flaky
from tests.world import World, open_world

D = Decimal
UNREADABLE: list[dict[str, Any]] = [
    {"execution_id": "E\x00"},
    {"execution_id": "E\ud800"},
    {"at": 10**19},
    {"qty": D("1E+200000")},
    {"symbol": "ACME\x00"},
]


class Garbling(Flaky):
    """Tells the first execution garbled, and again and again, also among its executions."""

    garbled: ExecutionReport | None = None
    change: dict[str, Any]

    async def reports(self, now: Instant) -> Sequence[Report]:
        told = list(await self.inner.reports(now))
        for i, report in enumerate(told):
            if isinstance(report, ExecutionReport) and type(self).garbled is None:
                type(self).garbled = told[i] = replace(report, **self.change)
        return told

    async def executions(self, since: Instant) -> Sequence[ExecutionReport]:
        return [] if self.garbled is None else [self.garbled]


@pytest.mark.parametrize("change", UNREADABLE, ids=str)
async def test_a_value_nobody_can_keep_stops_its_order_only(
    database_url: str, tmp_path: Path, change: dict[str, Any]
) -> None:
    class Liar(Garbling):
        pass

    Liar.change = change

    def lying(inner: Broker) -> Broker:
        return Liar(inner, [])

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, lying))
        ill = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        await world.let_go()
        if "symbol" in change:  # A stranger: the order itself goes on.
            await until_kept(world)
        else:
            await world.until(lambda row: row["status"] == "needs_operator", ill)
            assert ("order_stopped", "critical") in await alerts_of(world.database, ill)
            await until_kept(world)
        well = await entered_later(world)
        assert (await world.done(well))["status"] == "filled"
        # It is told at the next opening as well.
        await revived(world, lambda worker: with_broker(worker, lying))
        well = await entered_later(world)
        assert (await world.done(well))["status"] == "filled"
        assert not world.task.done()


async def until_kept(world: World) -> None:
    async with asyncio.timeout(30):
        while True:
            if world.task.done():
                world.task.result()
            async with world.database.connection() as connection:
                if await connection.fetchval("SELECT count(*) FROM quarantine"):
                    return
            await asyncio.sleep(0.02)


async def test_an_illegible_word_about_a_child_stops_its_order(
    database_url: str, tmp_path: Path
) -> None:
    class Mumbling(Flaky):
        """Of the first child it tells nothing that can be read."""

        about: str | None = None

        async def reports(self, now: Instant) -> Sequence[Report]:
            told = list(await self.inner.reports(now))
            if told and self.about is None:
                self.about = told[0].child_id
            word = OrderReport(self.about or "", "", ChildStatus.UNKNOWN, 0, ZERO, "at: 'x'")
            return [word if report.child_id == self.about else report for report in told]

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, lambda i: Mumbling(i, [])))
        ill = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        await world.let_go()
        row = await world.until(lambda row: row["status"] == "needs_operator", ill)
        assert row["reason"] == "internal.Illegible"
        assert ("report_cannot_be_read", "critical") in await alerts_of(world.database, ill)
        well = await entered_later(world)
        assert (await world.done(well))["status"] == "filled"


def test_a_value_that_speaks_of_closing_is_no_outage() -> None:
    from asyncpg.exceptions import _base

    assert not unreachable(_base.DataError("invalid input for query argument $1: 'closed\\x00'"))
    assert unreachable(asyncpg.InterfaceError("connection is closed"))


class Unreachable(Flaky):
    """Raises for the look-ups of some children."""

    fails: set[str]
    asked = 0

    async def lookup(self, child_id: str) -> OrderReport | None:
        if child_id in self.fails:
            self.asked += 1
            raise ConnectionError("no answer")
        return await self.inner.lookup(child_id)

    async def open_orders(self) -> Sequence[OrderReport]:
        # As some do: what it asks for is only told when it is looked up.
        return [replace(order, terms=None) for order in await self.inner.open_orders()]


async def test_a_lost_child_that_cannot_be_looked_up_waits_and_is_adopted_later(
    database_url: str, tmp_path: Path
) -> None:
    lines: list[Unreachable] = []

    def opened(inner: Broker) -> Broker:
        lines.append(Unreachable(inner, []))
        lines[-1].fails = set()
        return lines[-1]

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, opened))
        order_id = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        other = await world.order(qty="300", algo="twap", duration=TEN_MINUTES)
        await world.let_go(D(20))
        await world.until(lambda row: row["filled"] > 0, order_id)
        desk, line = world.worker.desks["main"], lines[-1]
        names = [child_id(order_id, 900), child_id(other, 901)]
        line.fails = {names[0]}
        for name in names:
            await line.inner.submit(resting(name, world.worker.market.clock.now()))
        desk._inquiry.want()
        async with asyncio.timeout(30):
            while line.asked < 2 or names[1] not in await adopted_in(world):
                if world.task.done():
                    world.task.result()
                await asyncio.sleep(0.02)
        assert world.worker.desks["main"] is desk, "nobody took it for the database's outage"
        assert names[0] not in await adopted_in(world)
        children = await world.children(order_id)
        await asyncio.sleep(1.5)
        assert len(await world.children(order_id)) == len(children), "it sends nothing meanwhile"
        line.fails = set()
        async with asyncio.timeout(30):
            while names[0] not in await adopted_in(world):
                await asyncio.sleep(0.02)
        assert world.worker.desks["main"] is desk


def resting(name: str, at: Instant) -> Ticket:
    return Ticket(
        name, "ACME", Side.BUY, D(10), D("50.00"), TimeInForce.DAY, Purpose.REST, at + MINUTE
    )


async def adopted_in(world: World) -> set[str]:
    async with world.database.connection() as connection:
        rows = await connection.fetch("SELECT subject FROM alerts WHERE rule = 'child_adopted'")
    return {row["subject"] for row in rows}


@pytest.mark.parametrize("failure", [TimeoutError("slow"), ConnectionResetError("cut")], ids=repr)
@pytest.mark.parametrize("where", ["reports", "next_at"])
async def test_a_broker_that_raises_is_not_taken_for_the_database(
    database_url: str, tmp_path: Path, failure: Exception, where: str
) -> None:
    class Raising(Flaky):
        left = 0

        def trouble(self, here: str) -> None:
            if here == where and self.left:
                self.left -= 1
                raise failure

        async def reports(self, now: Instant) -> Sequence[Report]:
            self.trouble("reports")
            return await super().reports(now)

        def next_at(self, now: Instant) -> Instant | None:
            self.trouble("next_at")
            return super().next_at(now)

    lines: list[Raising] = []

    def opened(inner: Broker) -> Broker:
        lines.append(Raising(inner, []))
        return lines[-1]

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, opened))
        order_id = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        await world.let_go(D(20))
        await world.until(lambda row: row["status"] == "working", order_id)
        desk = world.worker.desks["main"]
        lines[-1].left = 3
        async with asyncio.timeout(30):
            while lines[-1].left:
                await asyncio.sleep(0.01)
        await world.let_go()
        assert (await world.done(order_id))["status"] == "filled"
        assert world.worker.desks["main"] is desk
        assert len(lines) == 1


async def entered_later(world: World) -> str:
    """An order while the market stands: as fast as possible, its window is over before it is
    seen."""
    await world.hold()
    await asyncio.sleep(0.3)
    order_id = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
    await world.until(lambda row: row["status"] != "accepted", order_id)
    await world.let_go()
    return order_id
