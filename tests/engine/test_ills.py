"""One desk, one symbol, one order or one report may be ill; the others go on."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.fact import CancelRequested
from app.domain.instant import MINUTE, Instant
from app.engine import desk
from app.engine.market import MarketDesk
from app.engine.worker import Worker
from app.feeds.synthetic import STARTS_AT
from app.ports import Broker, ExecutionReport, Report
from app.store import journal
from app.store.database import Database
from app.store.journal import Entry
from tests.engine.test_recovery import Flaky
from tests.world import World, open_world

TEN_MINUTES = 10 * MINUTE


async def alerts_of(database: Database, order_id: str) -> set[tuple[str, str]]:
    async with database.connection() as connection:
        found = await connection.fetch(
            "SELECT rule, severity FROM alerts WHERE order_id = $1", order_id
        )
    return {(alert["rule"], alert["severity"]) for alert in found}


def with_broker(worker: Worker, make: Callable[[Broker], Broker]) -> None:
    """Put something between this worker and its broker."""
    (account, opener), *_ = worker._brokers.items()

    def opened(name: str, market: MarketDesk) -> Broker:
        return make(opener(name, market))

    worker._brokers = {account: opened}


async def revived(world: World, change: Callable[[Worker], object]) -> None:
    await world.kill_worker()
    async with world.database.connection() as connection:
        await connection.execute("UPDATE leases SET until = NULL")
    world.revive(change)


async def test_a_desk_that_could_not_be_opened_is_opened_later(
    database_url: str, tmp_path: Path
) -> None:
    failures = iter([ConnectionError("broker away"), OSError("line cut")])

    def once_away(inner: Broker) -> Broker:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        return inner

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, once_away))
        order_id = await world.order(qty="500", algo="market")
        await world.let_go()
        assert (await world.done(order_id, 10))["status"] == "filled"


async def test_an_order_without_market_data_waits_and_others_go_on(
    database_url: str, tmp_path: Path
) -> None:
    async with open_world(database_url, tmp_path) as world:
        blind = await world.order("COINX", qty="0.5", algo="twap", duration=TEN_MINUTES)
        await world.let_go(Decimal(60))
        await world.until(lambda row: row["status"] == "working", blind)
        await world.hold()

        def forget_coins(worker: Worker) -> None:
            watch = worker.market.feed.watch

            async def without(symbol: str, *rest: Any, **more: Any) -> Any:
                return None if symbol == "COINX" else await watch(symbol, *rest, **more)

            worker.market.feed.watch = without  # type: ignore[method-assign]

        await revived(world, forget_coins)
        seeing = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        await world.let_go(Decimal(600))
        assert (await world.done(seeing))["status"] == "filled"
        assert (await world.row(blind))["status"] in ("working", "expired", "closing")
        assert ("no_market_data", "critical") in await alerts_of(world.database, blind)


async def test_a_report_that_cannot_be_booked_is_set_aside(
    database_url: str, tmp_path: Path
) -> None:
    class Lying(Flaky):
        """Tells the first execution at a price of nothing, which the database refuses."""

        lied = False

        async def reports(self, now: Instant) -> Sequence[Report]:
            told = list(await self.inner.reports(now))
            for i, report in enumerate(told):
                if isinstance(report, ExecutionReport) and not self.lied:
                    self.lied = True
                    told[i] = replace(report, price=Decimal(0))
            return told

        async def executions(self, since: Instant) -> Sequence[ExecutionReport]:
            return []

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, lambda inner: Lying(inner, [])))
        ill = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        await world.let_go()
        row = await world.until(lambda row: row["status"] == "needs_operator", ill)
        assert row["reason"] == "internal.CheckViolationError"
        async with world.database.connection() as connection:
            kept = await connection.fetch("SELECT reason FROM quarantine")
        assert kept[0]["reason"].startswith("could_not_book: CheckViolationError")
        assert ("order_stopped", "critical") in await alerts_of(world.database, ill)
        well = await world.order(qty="500", algo="twap", duration=TEN_MINUTES)
        assert (await world.done(well))["status"] == "filled"


async def test_a_fill_beyond_a_finished_order_is_booked_and_alarmed(
    database_url: str, tmp_path: Path
) -> None:
    class Generous(Flaky):
        """After the first order is over, fills one of its children once more."""

        more: ExecutionReport | None = None
        now_it_comes = False

        async def reports(self, now: Instant) -> Sequence[Report]:
            told = list(await self.inner.reports(now))
            fills = [report for report in told if isinstance(report, ExecutionReport)]
            if fills:
                self.more = replace(fills[-1], execution_id="E-more", qty=Decimal(7))
            if self.now_it_comes and self.more is not None:
                told, self.now_it_comes = [*told, self.more], False
            return told

    lines: list[Generous] = []

    def generous(inner: Broker) -> Broker:
        lines.append(Generous(inner, []))
        return lines[-1]

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, generous))
        order_id = await world.order(qty="500", algo="market")
        await world.let_go()
        await world.done(order_id)
        lines[-1].now_it_comes = True
        row = await world.until(lambda row: row["excess"] == 7, order_id)
        assert (row["status"], row["filled"]) == ("filled", 507)
        async with asyncio.timeout(30):
            while len(await alerts_of(world.database, order_id)) < 2:
                await asyncio.sleep(0.02)
        found = await alerts_of(world.database, order_id)
        assert {("overfill", "critical"), ("late_fill", "warning")} <= found


async def test_a_cancel_without_evidence_is_asked_again_but_not_all_the_time(
    database_url: str, tmp_path: Path
) -> None:
    class Deaf(Flaky):
        """Hears no cancel."""

        asked = 0

        async def cancel(self, child_id: str, at: Instant) -> None:
            self.asked += 1

    lines: list[Deaf] = []

    def deaf(inner: Broker) -> Broker:
        lines.append(Deaf(inner, []))
        return lines[-1]

    async with open_world(database_url, tmp_path) as world:
        await revived(world, lambda worker: with_broker(worker, deaf))
        order_id = await world.order(
            qty="500", algo="limit", limit_price="95.00", duration=TEN_MINUTES
        )
        await world.let_go(Decimal(5))
        await world.until(lambda row: row["working"] > 0, order_id)
        from app.engine import commands
        from tests.world import CALLER

        await commands.cancel(world.service, CALLER, order_id)
        begun = time.monotonic()
        async with asyncio.timeout(30):
            while lines[-1].asked < 2:
                await asyncio.sleep(0.01)
        assert time.monotonic() - begun > 4
        assert (await world.row(order_id))["status"] == "closing"


async def test_a_desk_that_lost_its_lease_clears_no_flag(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        await world.watch("ACME")
        async with asyncio.timeout(30):
            while not world.worker.desks:
                await asyncio.sleep(0.01)
        async with world.database.connection() as connection:
            # Somebody else has the desk now; this worker has not noticed.
            await connection.execute(
                "UPDATE leases SET epoch = epoch + 1, owner = 'other',"
                " until = clock_timestamp() + interval '1 hour' WHERE name = 'desk:main'"
            )
        order_id = await world.order(qty="500", algo="market")
        await asyncio.sleep(0.5)
        row = await world.row(order_id)
        assert (row["attention"], row["status"]) == (True, "accepted")


async def test_two_orders_of_one_moment_do_not_meet(database_url: str, tmp_path: Path) -> None:
    async with open_world(database_url, tmp_path) as world:
        start = 1_767_623_400_000_000 + MINUTE
        same = {"slices": 4, "seed": "same"}
        ids = [
            await world.order(
                side=side, qty="800", algo="twap", start=start, duration=TEN_MINUTES, params=same
            )
            for side in ("buy", "sell")
        ]
        await world.let_go()
        for order_id in ids:
            await world.done(order_id)
        buys, sells = [await world.children(order_id) for order_id in ids]
        for buy in buys:
            for sell in sells:
                if buy["intended_at"] == sell["intended_at"]:
                    assert Decimal(buy["price"]) < Decimal(sell["price"])


async def test_a_change_whose_flag_somebody_cleared_is_found(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "VERSIONS_SECONDS", 0.2)
    async with open_world(database_url, tmp_path) as world:
        order_id = await world.order(qty="500", algo="limit", limit_price="50.00")
        await world.let_go(Decimal(60))
        await world.until(lambda row: row["working"] == 500, order_id)
        async with world.database.transaction() as connection:
            # As booked by somebody whose flag was lost: nothing asks the desk to look.
            await journal.record(
                connection,
                account="main",
                broker="paper",
                entries=[Entry(order_id, [CancelRequested(STARTS_AT, "nobody rang")])],
            )
        row = await world.done(order_id, 30)
        assert (row["status"], row["reason"]) == ("canceled", "nobody rang")
