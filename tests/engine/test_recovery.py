"""Death of the worker, lost answers, lying lines: an order goes on, nothing is sent twice."""

import asyncio
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.instant import MINUTE, Instant
from app.engine import commands
from app.engine.market import MarketDesk
from app.engine.worker import Worker
from app.ports import Broker, ExecutionReport, OrderReport, Outcome, Report, Ticket, Unclear
from tests.world import CALLER, World, open_world

TEN_MINUTES = 10 * MINUTE


def ledger_rows(folder: Path, query: str) -> list[Any]:
    with sqlite3.connect(folder / "paper.sqlite3") as connection:
        return connection.execute(query).fetchall()


async def assert_books_agree(world: World, folder: Path, order_id: str) -> None:
    """Every child is at the venue once at most, and every execution there is booked here."""
    venue_ids = [row[0] for row in ledger_rows(folder, "SELECT client_id FROM orders")]
    children = {c["id"] for c in await world.children(order_id)}
    assert len(venue_ids) == len(set(venue_ids))
    assert set(venue_ids) <= children
    at_venue = {row[0] for row in ledger_rows(folder, "SELECT execution_id FROM executions")}
    booked = {fill["execution_id"] for fill in await world.fills(order_id)}
    assert booked == at_venue


@pytest.mark.slow
@pytest.mark.parametrize("progress", [0, 1, 700, 2500])
async def test_a_killed_worker_is_taken_over(
    database_url: str, tmp_path: Path, progress: int
) -> None:
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="4000", algo="twap", duration=TEN_MINUTES)
        await world.let_go(Decimal(120))
        await world.until(
            lambda row: row["filled"] >= progress and row["status"] == "working", order_id
        )
        # Once the seconds of its lease are waited for.
        await world.kill_worker(lapsed=progress > 0)
        before = await world.row(order_id)
        assert before["status"] == "working"
        await world.let_go()
        world.revive()
        row = await world.done(order_id)
        assert (row["status"], row["filled"]) == ("filled", 4000)
        await assert_books_agree(world, tmp_path, order_id)
        async with world.database.connection() as connection:
            epochs = await connection.fetch("SELECT DISTINCT epoch FROM children ORDER BY epoch")
        assert [e["epoch"] for e in epochs][-1] == 2


class Flaky:
    """A broker over a bad line: the paper venue, with answers lost on the way back or there."""

    def __init__(self, inner: Broker, plan: Sequence[str]) -> None:
        self.inner = inner
        self.plan = list(plan)
        self.name = inner.name
        self.capabilities = inner.capabilities
        self.sent: list[str] = []

    async def submit(self, ticket: Ticket) -> Outcome:
        self.sent.append(ticket.child_id)
        fate = self.plan.pop(0) if self.plan else "through"
        if fate == "lost_there":
            return Unclear("the line broke before the venue")
        outcome = await self.inner.submit(ticket)
        if fate == "lost_back":
            return Unclear("timed out")
        if fate == "raises":
            raise RuntimeError("a bug in the adapter")
        return outcome

    async def cancel(self, child_id: str, at: Instant) -> None:
        await self.inner.cancel(child_id, at)

    async def lookup(self, child_id: str) -> OrderReport | None:
        return await self.inner.lookup(child_id)

    async def open_orders(self) -> Sequence[OrderReport]:
        return await self.inner.open_orders()

    async def executions(self, since: Instant) -> Sequence[ExecutionReport]:
        return await self.inner.executions(since)

    async def positions(self) -> dict[str, Decimal]:
        return await self.inner.positions()

    async def reports(self, now: Instant) -> Sequence[Report]:
        # Told twice, and the newest first: the inbox must not care.
        reports = await self.inner.reports(now)
        return [*reversed(reports), *reports]

    def next_at(self, now: Instant) -> Instant | None:
        return self.inner.next_at(now)

    async def close(self) -> None:
        await self.inner.close()


def make_flaky(worker: Worker, plan: Sequence[str]) -> list[Flaky]:
    """Put a bad line between this worker and its broker."""
    opened: list[Flaky] = []
    (account, opener), *_ = worker._brokers.items()

    def flaky(name: str, market: MarketDesk) -> Broker:
        opened.append(Flaky(opener(name, market), plan))
        return opened[-1]

    worker._brokers = {account: flaky}
    return opened


@pytest.mark.parametrize("fate", ["lost_there", "lost_back", "raises"])
async def test_an_unclear_send_is_never_repeated(
    database_url: str, tmp_path: Path, fate: str
) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.kill_worker(lapsed=True)
        lines: list[list[Flaky]] = []
        world.revive(lambda worker: lines.append(make_flaky(worker, [fate])))
        order_id = await world.order(qty="2000", algo="twap", duration=TEN_MINUTES)
        await world.let_go(Decimal(60))
        # Slowly, until it is known what became of it: absence is proven only after a while.
        await world.until(lambda row: row["filled"] > 0 and row["unknown"] == 0, order_id)
        await world.let_go()
        row = await world.done(order_id)
        assert (row["status"], row["filled"]) == ("filled", 2000)
        sent = lines[0][0].sent
        assert len(sent) == len(set(sent))
        await assert_books_agree(world, tmp_path, order_id)
        async with world.database.connection() as connection:
            types = await connection.fetch("SELECT type FROM events WHERE order_id = $1", order_id)
        assert "child.unknown" in {t["type"] for t in types}
        first = (await world.children(order_id))[0]
        if fate == "lost_there":
            assert (first["status"], first["reason"]) == ("rejected", "absent")
        else:
            assert first["status"] in ("filled", "canceled")


async def test_two_workers_never_share_a_desk(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="4000", algo="twap", duration=TEN_MINUTES)
        other, stop = world.start_worker(), asyncio.Event()
        standby = asyncio.create_task(other.run(stop))
        await world.let_go(Decimal(300))
        await world.until(lambda row: row["filled"] > 0, order_id)
        assert other.desks == {}
        world.stop.set()
        await world.task
        world.worker, world.task, world.stop = other, standby, stop
        await world.let_go()
        row = await world.done(order_id)
        assert row["status"] == "filled"
        await assert_books_agree(world, tmp_path, order_id)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("on_restart", "status"), [("resume", "filled"), ("pause", "expired"), ("cancel", "canceled")]
)
async def test_an_orphan_follows_its_restart_policy(
    database_url: str, tmp_path: Path, on_restart: str, status: str
) -> None:
    from app.domain.task import OnRestart

    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(
            qty="4000", algo="twap", duration=TEN_MINUTES, on_restart=OnRestart(on_restart)
        )
        await world.let_go(Decimal(120))
        await world.until(lambda row: row["filled"] >= 400, order_id)
        await world.kill_worker()
        async with world.database.connection() as connection:
            # As if nobody had been there for two minutes.
            await connection.execute(
                "UPDATE leases SET until = clock_timestamp() - interval '2 minutes'"
            )
        await world.let_go()
        world.revive()
        row = await world.done(order_id)
        assert row["status"] == status
        async with world.database.connection() as connection:
            types = await connection.fetch("SELECT type FROM events WHERE order_id = $1", order_id)
        # A paused order keeps its end, and nobody resumed this one.
        assert ("order.paused" in {t["type"] for t in types}) == (on_restart == "pause")
        assert (row["filled"] == 4000) == (on_restart == "resume")


async def test_a_stranger_at_the_broker_is_set_aside_and_alarmed(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="4000", algo="twap", duration=TEN_MINUTES)
        await world.let_go(Decimal(60))
        await world.until(lambda row: row["working"] > 0, order_id)
        desk = world.worker.desks["main"]
        from app.domain.fact import Purpose, TimeInForce
        from app.domain.quantity import Side

        await desk.broker.submit(
            Ticket(
                child_id="slzzzzzzzzzzz-1",
                symbol="ACME",
                side=Side.BUY,
                qty=Decimal(10),
                limit_price=Decimal(110),
                time_in_force=TimeInForce.DAY,
                purpose=Purpose.CROSS,
                at=world.worker.market.clock.now(),
            )
        )
        await world.let_go()
        await world.done(order_id)
        async with world.database.connection() as connection:
            kept = await connection.fetch("SELECT * FROM quarantine")
            alerts = await connection.fetch("SELECT rule, severity FROM alerts")
        assert [k["reason"] for k in kept] == ["unknown_child"] * len(kept)
        assert len(kept) >= 1
        assert ("unexplained_execution", "critical") in {(a["rule"], a["severity"]) for a in alerts}


async def test_a_failed_check_stops_its_order_and_no_other(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        bad = await world.order(qty="1000", algo="twap", duration=TEN_MINUTES)
        good = await world.order(qty="1000", algo="twap", duration=TEN_MINUTES)
        async with world.database.connection() as connection:
            # No child id is left for it: our own limit, met in the middle of a batch.
            await connection.execute("UPDATE orders SET next_child = 1679616 WHERE id = $1", bad)
        await world.let_go()
        assert (await world.done(good))["status"] == "filled"
        row = await world.until(lambda row: row["status"] == "needs_operator", bad)
        assert (row["reason"], row["filled"]) == ("internal.Refusal", 0)
        async with world.database.connection() as connection:
            alert = await connection.fetchrow("SELECT * FROM alerts WHERE order_id = $1", bad)
        assert (alert["rule"], alert["severity"]) == ("order_stopped", "critical")
        await commands.cancel(world.service, CALLER, bad)
        assert (await world.done(bad))["status"] == "canceled"
