"""Several workers of one live house: one tells the market, desks are claimed in turn, and what
nobody works is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.quantity import Side
from app.domain.request import Request
from app.engine.accept import accept
from app.engine.clock import LiveClock
from app.engine.given import Given
from app.engine.market import MarketDesk
from app.engine.worker import Worker
from app.feeds.synthetic.profile import SYMBOLS
from app.feeds.synthetic_live import LiveSynthetic
from app.ports import Broker, Outcome, Ticket
from app.settings import Settings
from app.store import leases, market_state
from app.store.database import Database
from app.store.leases import Lease, Lost
from app.wiring import House, open_house, open_service, open_worker
from tests.store.seeds import enter, fetch, value
from tests.world import CALLER


def live() -> LiveSynthetic:
    return LiveSynthetic(1, SYMBOLS)


async def claimed(database: Database, owner: str) -> Lease:
    async with database.connection() as connection:
        lease = await leases.claim(connection, name="market", owner=owner)
    assert lease is not None
    return lease


async def run_out(database: Database) -> None:
    await fetch(database, "UPDATE leases SET until = clock_timestamp() - interval '1 ms'")


async def asked(database: Database, symbol: str) -> None:
    async with database.connection() as connection:
        await market_state.ask(connection, symbol)


async def looked(market: MarketDesk) -> None:
    await market.look()
    await asyncio.gather(*market._reading.values())
    await market.look()


async def test_only_the_teller_answers_the_others_watch_for_themselves(database: Database) -> None:
    teller, other = MarketDesk(database, live()), MarketDesk(database, live())
    await teller.begin_telling(await claimed(database, "w1"), ["GLOBEX"])
    await asked(database, "ACME")
    await other.need("INITECH", other.clock.now())
    for market in (other, teller):
        await looked(market)
        await market.tell(force=True)
    assert set(teller.watched) == {"ACME", "GLOBEX"}
    assert set(other.watched) == {"INITECH"}
    told = await fetch(database, "SELECT symbol FROM watches WHERE bid IS NOT NULL ORDER BY 1")
    assert [row["symbol"] for row in told] == ["ACME", "GLOBEX"]
    before = await value(database, "SELECT told_at FROM market_clock")
    await other.tell(force=True)
    assert await value(database, "SELECT told_at FROM market_clock") == before


async def test_a_teller_that_was_away_tells_nothing_old(database: Database) -> None:
    frozen, next_one = MarketDesk(database, live()), MarketDesk(database, live())
    await frozen.begin_telling(await claimed(database, "w1"), ["ACME"])
    await looked(frozen)
    await run_out(database)
    await next_one.begin_telling(await claimed(database, "w2"), [])
    await looked(next_one)
    assert set(next_one.watched) == {"ACME"}
    seen = await fetch(database, "SELECT * FROM watches")
    now = await value(database, "SELECT now FROM market_clock")
    await asyncio.sleep(0.01)
    with pytest.raises(Lost):
        await frozen.tell(force=True)
    with pytest.raises(Lost):
        await frozen.watch(["ACME"])
    with pytest.raises(Lost):
        await frozen.watch(["NOBODY"])
    assert await fetch(database, "SELECT * FROM watches") == seen
    assert await value(database, "SELECT now FROM market_clock") == now
    frozen.stop_telling()
    await frozen.tell(force=True)
    await frozen.watch(["NOBODY"])
    assert await fetch(database, "SELECT * FROM watches") == seen


async def test_told_time_does_not_go_back_from_machine_to_machine(database: Database) -> None:
    fast, slow = MarketDesk(database, live()), MarketDesk(database, live())
    fast.clock = LiveClock(wall=lambda: LiveClock().now() / 1e6 + 0.4)
    await fast.begin_telling(await claimed(database, "w1"), [])
    await fast.tell(force=True)
    before = await value(database, "SELECT now FROM market_clock")
    await run_out(database)
    await slow.begin_telling(await claimed(database, "w2"), [])
    await slow.tell(force=True)
    assert await value(database, "SELECT now FROM market_clock") >= before


async def test_what_an_order_needs_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.market.RETRY_SECONDS", 0.0)
    symbols: dict[str, Any] = {}
    market = MarketDesk(database, LiveSynthetic(1, symbols))
    await market.need("ACME", market.clock.now())
    assert market.watched == {}
    symbols["ACME"] = SYMBOLS["ACME"]
    await looked(market)
    assert set(market.watched) == {"ACME"}


@asynccontextmanager
async def open_live(url: str, folder: Path, **settings: Any) -> AsyncIterator[House]:
    told = {"feed": "synthetic-live", "lease_seconds": 1} | settings
    chosen = Settings(_env_file=None, data_dir=folder, **told)
    async with open_house(chosen, url) as house:
        yield house


@asynccontextmanager
async def working(house: House) -> AsyncIterator[Worker]:
    worker, stop = open_worker(house), asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await task


async def until_held(house: House, desks: int) -> dict[str, int]:
    """How many desks each worker has, once so many have one."""
    async with asyncio.timeout(30):
        while True:
            rows = await fetch(
                house.database,
                "SELECT owner, count(*) AS n FROM leases WHERE name LIKE 'desk:%'"
                " AND until > clock_timestamp() GROUP BY owner",
            )
            if sum(row["n"] for row in rows) == desks:
                return {row["owner"]: row["n"] for row in rows}
            await asyncio.sleep(0.02)


async def test_desks_that_become_free_are_shared(database_url: str, tmp_path: Path) -> None:
    accounts = ",".join(f"a{n}=paper" for n in range(4))
    async with open_live(database_url, tmp_path, accounts=accounts) as house:
        async with working(house) as first:
            assert await until_held(house, 4) == {first.name: 4}
            async with working(house) as second, working(house) as third:
                async with asyncio.timeout(30):
                    while (
                        await value(
                            house.database, "SELECT count(*) FROM leases WHERE name LIKE 'worker:%'"
                        )
                        != 3
                    ):
                        await asyncio.sleep(0.02)
                await asyncio.sleep(0.6)
                assert await until_held(house, 4) == {first.name: 4}
                for account in list(first.desks):
                    await first._keeper.give_back(f"desk:{account}")
                    first._lose(f"desk:{account}")
                held = await until_held(house, 4)
                assert max(held.values()) <= 2
                assert set(held) <= {first.name, second.name, third.name}
        left = await value(house.database, "SELECT count(*) FROM leases WHERE until IS NOT NULL")
        assert left == 0


async def test_a_live_worker_that_loses_the_market_works_on(
    database_url: str, tmp_path: Path
) -> None:
    async with open_live(database_url, tmp_path) as house, working(house) as worker:
        async with asyncio.timeout(30):
            while not (worker.market.telling and worker.desks):
                await asyncio.sleep(0.02)
        await fetch(
            house.database,
            "UPDATE leases SET owner = 'thief', epoch = epoch + 1,"
            " until = clock_timestamp() + interval '1 minute' WHERE name = 'market'",
        )
        async with asyncio.timeout(30):
            while worker.market.telling:
                await asyncio.sleep(0.02)
        assert list(worker.desks) == ["main"]
        await run_out_market(house.database)
        async with asyncio.timeout(30):
            while not worker.market.telling:
                await asyncio.sleep(0.02)


async def run_out_market(database: Database) -> None:
    await fetch(
        database,
        "UPDATE leases SET until = clock_timestamp() - interval '1 ms' WHERE name = 'market'",
    )


async def test_an_account_without_a_desk_and_a_clock_that_was_set_are_told(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.oversight.LOOK_SECONDS", 0.1)
    ahead = 0.0

    def wall() -> float:
        return LiveClock().now() / 1e6 + ahead

    async with open_live(database_url, tmp_path, account="other") as house:
        await enter(house.database)
        async with working(house) as worker:
            worker.market.clock = LiveClock(wall=wall)
            for alerts in (1, 2):
                async with asyncio.timeout(30):
                    while await value(house.database, "SELECT count(*) FROM alerts") < alerts:
                        await asyncio.sleep(0.05)
                # It has looked at the clock, and looks again.
                ahead = 3_600.0
            await asyncio.sleep(1.2)
        alerts = await fetch(
            house.database,
            "SELECT account, rule, severity, count, data FROM alerts ORDER BY rule",
        )
    desertion, step = alerts
    assert (desertion["rule"], desertion["severity"]) == ("account_without_desk", "critical")
    assert (desertion["count"], desertion["data"]) == (1, {"orders": "1"})
    assert (step["account"], step["rule"], step["severity"]) == ("other", "clock_step", "critical")
    assert abs(float(step["data"]["seconds"]) - 3_600) < 1


class Hanging:
    """A broker that never answers a submit: the line is up, and silent."""

    def __init__(self, inner: Broker) -> None:
        self.inner, self.name, self.capabilities = inner, inner.name, inner.capabilities
        self.asked = asyncio.Event()

    async def submit(self, ticket: Ticket) -> Outcome:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_a_worker_that_is_told_to_end_waits_three_seconds_at_most(
    database_url: str, tmp_path: Path
) -> None:
    """What is on the wire stays an intent, for the next owner to look for."""
    async with (
        open_live(database_url, tmp_path, lease_seconds=30) as house,
        open_service(house) as service,
    ):
        worker, stop = open_worker(house), asyncio.Event()
        opener = worker._brokers["main"]
        hanging: list[Hanging] = []

        def opened(account: str, market: MarketDesk) -> Any:
            hanging.append(Hanging(opener(account, market)))
            return hanging[0]

        worker._brokers = {"main": opened}
        task = asyncio.create_task(worker.run(stop))
        async with asyncio.timeout(30):
            while not worker.desks:
                await asyncio.sleep(0.02)
            request = Request(
                account="main", symbol="ACME", side=Side.BUY, qty=Decimal(5), algo="market"
            )
            given = Given.of({"symbol": "ACME", "side": "buy", "qty": "5", "algo": "market"})
            await accept(service, CALLER, request, given)
            await hanging[0].asked.wait()
        stop.set()
        begun = time.monotonic()
        await task
        assert 2.5 < time.monotonic() - begun < 15
    assert [tuple(row) for row in await rows(database_url)] == [("intent", None)]


async def rows(url: str) -> list[Any]:
    """Each child with until when its desk is owned."""
    database = await Database.open(url)
    try:
        return await fetch(
            database,
            "SELECT c.status, l.until FROM children c JOIN leases l"
            " ON l.name = 'desk:' || c.account",
        )
    finally:
        await database.close()
