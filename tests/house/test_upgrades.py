"""Upgrades: from the previous release with orders mid-way, and rolling, while an order works."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.store.migrate import check, migrate, newest
from app.store.tables import metadata
from tests.cli.shell import Said, Shell
from tests.databases import run_sql
from tests.house.revisions import fetch, waits
from tests.server import running_server

PREVIOUS = Path(__file__).with_name("previous_release")

pytestmark = [pytest.mark.timeout(180)]


async def load_previous(url: str) -> None:
    """The previous release's database, as `pg_dump` wrote it after its processes were killed."""
    await run_sql(url, (PREVIOUS / "database.sql").read_text())
    # Its transactions were another cluster's.
    await run_sql(url, "UPDATE public.events SET xid = '3'")


async def audit(folder: Path, url: str) -> Said:
    return await asyncio.to_thread(Shell(folder, folder), "audit", DATABASE_URL=url)


@pytest.mark.slow
async def test_the_orders_of_the_previous_release_are_worked_to_their_end(
    tmp_path: Path, empty_url: str
) -> None:
    await load_previous(empty_url)
    shutil.copy(PREVIOUS / "paper.sqlite3", tmp_path)
    [(old,)] = await fetch(empty_url, "SELECT version_num FROM alembic_version")
    assert old < newest()
    before = {
        row["client_order_id"]: row
        for row in await fetch(empty_url, "SELECT client_order_id, id, status, filled FROM orders")
    }
    open_ = [name for name, row in before.items() if row["status"] == "working"]
    assert len(open_) == 4
    async with running_server(tmp_path, empty_url, SPEED="0", HOLD="false") as server:
        await server.clock(speed="0", held=False)
        for name, row in before.items():
            order = await server.done(str(row["id"]))
            assert order["status"] == "filled", name
            assert float(order["filled"]) >= float(row["filled"])
        # The next order of an old name is the old order.
        again = await server.client.post(
            "/orders",
            json={"client_order_id": "vwap", "symbol": "ACME", "side": "buy", "qty": "1"},
        )
        assert again.status_code == 409
    [(found,)] = await fetch(empty_url, "SELECT version_num FROM alembic_version")
    assert found == newest()
    said = await audit(tmp_path, empty_url)
    assert said.code == 0, said.out


async def test_the_previous_schema_is_reached_again_with_everything_in_it(empty_url: str) -> None:
    await load_previous(empty_url)
    tables = [t for t in metadata.tables if t != "meta"]

    async def rows() -> dict[str, Any]:
        there = {r[0] for r in await fetch(empty_url, "SELECT tablename FROM pg_tables")}
        found = {}
        for table in sorted(there.intersection(tables)):
            [(told,)] = await fetch(
                empty_url, f"SELECT jsonb_agg(to_jsonb(t) ORDER BY t::text) FROM {table} t"
            )
            found[table] = told
        return found

    first = await rows()
    await migrate(empty_url)
    assert await rows() != first
    await migrate(empty_url, "0001")
    assert await rows() == first
    await migrate(empty_url)
    await check(empty_url)


# Rolling.


@asynccontextmanager
async def role(name: str, folder: Path, url: str) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """One role as a process of its own, on the folder's settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLIPSTREAM_")}
    environment |= {
        "SLIPSTREAM_DATA_DIR": str(folder),
        "SLIPSTREAM_SPEED": "60",
        "SLIPSTREAM_HOLD": "true",
        "DATABASE_URL": url,
    }
    with (folder / f"log-{name}-{time.time_ns()}").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--role", name],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)


async def owner(url: str) -> str | None:
    rows = await fetch(url, "SELECT owner FROM leases WHERE name = 'desk:main' AND until > now()")
    return str(rows[0][0]) if rows else None


@pytest.mark.slow
async def test_a_rolling_upgrade_while_an_order_works(
    tmp_path: Path, database_url: str, following: Path
) -> None:
    order = {"symbol": "ACME", "side": "buy", "qty": "4000", "algo": "twap", "duration": "20m"}
    async with running_server(tmp_path, database_url, SPEED="60") as server:
        order_id = (await server.post("/orders", order))["id"]
        await server.clock(held=False)
        await server.until(order_id, lambda o: float(o["filled"]) >= 400)
        first = await owner(database_url)
        held: list[float] = []
        stop = asyncio.Event()
        watching = asyncio.create_task(waits(database_url, held, stop))
        await migrate(database_url, beside=following)
        stop.set()
        await watching
        # Measured: 15 ms, with nothing else on the machine.
        assert max(held) < 3.0
        ready = await server.client.get("/readyz")
        assert ready.status_code == 200, ready.text
        filled = float((await server.get(f"/orders/{order_id}"))["filled"])
        await server.until(order_id, lambda o: float(o["filled"]) > filled)
        assert await owner(database_url) == first
        async with role("worker", tmp_path, database_url) as second:
            await asyncio.sleep(2)
            assert second.poll() is None
            # The supervisor would start the old worker again: it ends first.
            os.kill(server.process.pid, signal.SIGSTOP)
            server.kill("worker", signal.SIGTERM)
            # A clean end gives the leases back at once; how soon is asked in test_fleet.
            deadline = time.monotonic() + 60
            while await owner(database_url) in (first, None):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            await server.clock(speed="0")
            done = await server.done(order_id)
            assert (done["status"], done["filled"]) == ("filled", "4000")
            second.terminate()
            assert await asyncio.to_thread(second.wait, 15) == 0
        said = await audit(tmp_path, database_url)
        assert said.code == 0, said.out
        os.kill(server.process.pid, signal.SIGCONT)
    repeated = [line for line in server.log().splitlines() if '"lease lost"' in line]
    assert [json.loads(line) for line in repeated] == []
