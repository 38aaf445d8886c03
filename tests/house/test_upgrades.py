"""Upgrades: from the previous release with orders mid-way, and rolling, while an order works."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.store.migrate import WrongSchema, check, migrate, newest
from app.store.tables import metadata
from tests.cli.shell import Said, Shell
from tests.conftest import run_sql, with_database
from tests.house.test_docs import ROOT
from tests.server import running_server

PREVIOUS = Path(__file__).with_name("previous_release")

pytestmark = [pytest.mark.timeout(180)]

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0003", "0002", None, None


def upgrade():
    op.add_column("orders", sa.Column("desk_note", sa.Text()))
    op.add_column("fills", sa.Column("venue", sa.Text(), server_default="x", nullable=False))
    op.execute("{extra}")


def downgrade():
    op.drop_column("orders", "desk_note")
    op.drop_column("fills", "venue")
    op.execute("DELETE FROM meta WHERE key = 'min_revision'")
"""


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    name = f"upgrade_{uuid.uuid4().hex[:12]}"
    asyncio.run(run_sql(server_url, f"CREATE DATABASE {name}"))
    yield with_database(server_url, name)
    asyncio.run(run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def following(tmp_path: Path) -> Path:
    """A folder with the next release's migration, which old workers can live with."""
    return revision_in(tmp_path / "following", "SELECT 1")


@pytest.fixture
def breaking(tmp_path: Path) -> Path:
    """One that they cannot live with."""
    told = "INSERT INTO meta (key, value) VALUES ('min_revision', '0003')"
    return revision_in(tmp_path / "breaking", told)


def revision_in(folder: Path, extra: str) -> Path:
    folder.mkdir()
    (folder / "0003_next.py").write_text(NEXT.replace("{extra}", extra))
    return folder


async def fetch(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[Any] = await connection.fetch(query)
    finally:
        await connection.close()
    return rows


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


# Who may work on which schema.


async def test_a_release_works_on_its_own_schema_and_on_newer_ones_that_only_add(
    database_url: str, following: Path
) -> None:
    await check(database_url)
    await migrate(database_url, beside=following)
    await check(database_url)
    # Started, it does not stumble over a revision that it does not know.
    await migrate(database_url)
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == ["0003"]


async def test_a_release_refuses_a_schema_that_needs_a_newer_one(
    database_url: str, breaking: Path, tmp_path: Path
) -> None:
    await migrate(database_url, beside=breaking)
    says = "is at revision 0003 and needs a release that knows 0003; this one knows 0002"
    with pytest.raises(WrongSchema, match=says):
        await check(database_url)
    shell = Shell(tmp_path, tmp_path)
    said = await asyncio.to_thread(shell, "serve", "--role", "worker", DATABASE_URL=database_url)
    assert said.code == 1
    assert says in said.err
    await migrate(database_url, newest(), beside=breaking)
    await check(database_url)


async def test_a_release_says_that_it_needs_a_migration(database_url: str, empty_url: str) -> None:
    with pytest.raises(WrongSchema, match="no schema yet: start `slipstream serve`"):
        await check(empty_url)
    await migrate(database_url, "0001")
    with pytest.raises(WrongSchema, match="is at revision 0001, this release needs 0002: start"):
        await check(database_url)


async def test_the_command_of_the_page_migrates(database_url: str) -> None:
    [command] = re.findall(r"```sh\n\s*(.*?)\n\s*```", (ROOT / "docs/upgrades.md").read_text())
    await migrate(database_url, "0001")
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-ec", command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    await check(database_url)


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
        process.wait(10)


async def owner(url: str) -> str | None:
    rows = await fetch(url, "SELECT owner FROM leases WHERE name = 'desk:main' AND until > now()")
    return str(rows[0][0]) if rows else None


async def waits(url: str, over: list[float], stop: asyncio.Event) -> None:
    """How long an order's row cannot be changed, sampled all the time."""
    connection = await asyncpg.connect(url)
    while not stop.is_set():
        began = time.monotonic()
        await connection.execute("UPDATE orders SET tags = tags WHERE id = gen_random_uuid()")
        await connection.execute("SELECT count(*) FROM fills WHERE account = 'nobody'")
        over.append(time.monotonic() - began)
        await asyncio.sleep(0.001)
    await connection.close()


async def test_orders_do_not_queue_behind_a_migration_that_waits_for_a_backup(
    database_url: str, following: Path
) -> None:
    backup = await asyncpg.connect(database_url)
    holding = backup.transaction()
    await holding.start()
    await backup.execute("LOCK TABLE orders, fills IN ACCESS SHARE MODE")
    held: list[float] = []
    stop = asyncio.Event()
    watching = asyncio.create_task(waits(database_url, held, stop))
    migrating = asyncio.create_task(migrate(database_url, beside=following))
    await asyncio.sleep(2)
    assert not migrating.done()
    await holding.rollback()
    await backup.close()
    async with asyncio.timeout(20):
        await migrating
    stop.set()
    await watching
    # Half a second for the lock, and what a busy machine adds.
    assert 0.3 < max(held) < 2
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == ["0003"]


async def test_a_migration_that_never_gets_its_lock_says_so_and_changes_nothing(
    database_url: str, following: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.migrate.ATTEMPTS", 2)
    backup = await asyncpg.connect(database_url)
    async with backup.transaction():
        # Its first table it gets, its second it does not.
        await backup.execute("LOCK TABLE fills IN ACCESS SHARE MODE")
        with pytest.raises(WrongSchema, match="something holds its tables"):
            await migrate(database_url, beside=following)
    await backup.close()
    await check(database_url)
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == ["0002"]


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
        assert max(held) < 1.0
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
            # It has 7 s to take over; a clean end gives the leases back at once.
            deadline = time.monotonic() + 7
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
