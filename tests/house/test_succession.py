"""A worker dies under its supervisor, with leases of a minute: nobody waits for them."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.server import Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

PARENTS, CHILDREN = 80, 10
CANCELED_SECONDS = 5.0
"""From the switch to the last cancel, with a death in between."""

TAKEN_OVER_SECONDS = 15.0
"""On a busy machine; a lease is four times as long. docs/performance.md has what it takes."""

OWNED = "SELECT owner, epoch FROM leases WHERE name = 'desk:main' AND until > clock_timestamp()"


@asynccontextmanager
async def house(folder: Path, url: str, **more: str) -> AsyncIterator[Server]:
    told = {"LEASE_SECONDS": "60", "FEED": "synthetic-live", "SYMBOLS": "ACME"}
    told |= {"SPARE_WORKER": "true"} | more
    async with running_server(folder, url, PAPER_LATENCY_MS="0", **told) as server:
        yield server


async def rows(url: str, query: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(query, *values)
        return found
    finally:
        await connection.close()


async def seen(
    url: str, query: str, *values: Any, seconds: float = TAKEN_OVER_SECONDS
) -> asyncpg.Record:
    """Wait until a query finds something."""
    deadline = time.monotonic() + seconds
    while not (found := await rows(url, query, *values)):
        assert time.monotonic() < deadline, query
        await asyncio.sleep(0.02)
    return found[0]


def ledger(server: Server, query: str) -> int:
    path = server.folder / "paper.sqlite3"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as database:
        found: int = database.execute(query).fetchone()[0]
    database.close()
    return found


def asked(server: Server) -> int:
    """Children that were to be canceled, as the venue knows."""
    return ledger(server, "SELECT count(DISTINCT client_id) FROM cancels")


async def rested(server: Server, url: str) -> None:
    """Orders whose children all rest far from the market."""
    quote = await seen(url, "SELECT bid FROM watches WHERE symbol = 'ACME' AND bid IS NOT NULL")
    price = (quote["bid"] * Decimal("0.97")).quantize(Decimal("0.01"), ROUND_FLOOR)
    order = {
        "symbol": "ACME",
        "side": "buy",
        "qty": str(CHILDREN),
        "algo": "limit",
        "limit_price": str(price),
        "duration": "1h",
        "params": {"max_child": "1"},
    }
    answer = await server.client.post("/orders/batch", json={"orders": [order] * PARENTS})
    assert answer.is_success, answer.text
    every = f"SELECT 1 WHERE {PARENTS * CHILDREN} = (SELECT count(*) FROM children WHERE status ="
    await seen(url, f"{every} 'working')", seconds=60)


async def spare(server: Server) -> None:
    """Wait for the process that waits to be a worker."""
    async with asyncio.timeout(60):
        while "spare worker waits" not in server.log():
            await asyncio.sleep(0.1)


async def test_a_kill_switch_outlives_the_worker_that_carries_it_out(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path / "d", database_url) as server:
        await rested(server, database_url)
        await spare(server)
        before = await seen(database_url, OWNED)
        dying = server.pid("worker")
        body = {"scope": "all", "level": "cancel", "reason": "drill"}
        thrown = time.monotonic()
        throwing = asyncio.create_task(server.client.post("/risk/kill-switches", json=body))
        while not asked(server):
            await asyncio.sleep(0.001)
        os.kill(dying, signal.SIGKILL)
        killed = asked(server)
        assert 0 < killed < PARENTS * CHILDREN, "not in the midst: nothing is shown"
        while asked(server) < PARENTS * CHILDREN:
            assert time.monotonic() - thrown < TAKEN_OVER_SECONDS, (killed, server.log()[-3000:])
            await asyncio.sleep(0.02)
        took = time.monotonic() - thrown
        assert (await throwing).is_success
        assert took < CANCELED_SECONDS, f"{took:.1f} s"
        assert (await seen(database_url, OWNED))["epoch"] == before["epoch"] + 1
        over = "SELECT 1 WHERE NOT EXISTS (SELECT FROM orders WHERE status <> 'canceled')"
        await seen(database_url, over, seconds=30)
        assert ledger(server, "SELECT count(*) FROM repeats") == 0
        assert "leases of the dead freed" in server.log()


async def test_who_stands_by_under_the_same_supervisor_takes_over_before_anybody_is_started(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path / "d", database_url, WORKERS="2") as server:
        before = await seen(database_url, OWNED)
        pids = {server.pid("worker"), server.pid("worker 2")}
        dying = int(before["owner"].split(":")[1])
        (other,) = pids - {dying}
        os.kill(dying, signal.SIGKILL)
        heir = await seen(database_url, f"{OWNED} AND owner <> $1", before["owner"])
        assert (int(heir["owner"].split(":")[1]), heir["epoch"]) == (other, before["epoch"] + 1)
        # The other one goes on with what it has, and so does its sign of life.
        alive = "SELECT owner FROM leases WHERE name LIKE 'worker:%' AND until > clock_timestamp()"
        assert heir["owner"] in {row["owner"] for row in await rows(database_url, alive)}


async def test_a_supervisor_that_dies_with_its_worker_proves_nothing(
    tmp_path: Path, database_url: str
) -> None:
    """Nobody has reaped that worker: its lease runs out as ever."""
    async with house(tmp_path / "d", database_url, LEASE_SECONDS="8") as server:
        before = await seen(database_url, OWNED)
        children = [server.pid("worker"), server.pid("api")]
        server.process.kill()
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        server.process.wait()
        until = (await rows(database_url, "SELECT max(until) AS at FROM leases"))[0]["at"]
    async with house(tmp_path / "d", database_url, LEASE_SECONDS="8"):
        after = f"{OWNED} AND owner <> $1"
        await seen(database_url, after, before["owner"])
        claimed = await rows(
            database_url,
            "SELECT until - interval '8 s' >= $1::timestamptz AS later FROM leases"
            " WHERE name = 'desk:main'",
            until,
        )
        assert claimed[0]["later"]
