"""Backup while orders work, restore, resume: the venue has moved on, the journal has not."""

import asyncio
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.domain.identity import order_key
from tests.cli.shell import Said, Shell
from tests.databases import Databases
from tests.house.test_docs import ROOT, blocks
from tests.server import OVER, Server, running_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ORDER = {
    "symbol": "ACME",
    "side": "buy",
    "qty": "4000",
    "algo": "twap",
    "duration": "30m",
    "params": {"slices": 20},
}


async def slipstream(folder: Path, *arguments: str, url: str) -> Said:
    shell = Shell(folder, folder)
    return await asyncio.to_thread(shell, *arguments, DATABASE_URL=url)


async def fetch(url: str, query: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        rows: list[Any] = await connection.fetch(query, *arguments)
    finally:
        await connection.close()
    return rows


def venue(folder: Path, query: str) -> list[tuple[Any, ...]]:
    ledger = sqlite3.connect(folder / "paper.sqlite3")
    try:
        return ledger.execute(query).fetchall()
    finally:
        ledger.close()


@dataclass(frozen=True)
class Drill:
    """An order backed up half-way; the order goes on; restored, and resumed to its end."""

    url: str
    folder: Path
    order: dict[str, Any]
    cursor: str
    sent_before: int
    sent_after: int
    restored: Any
    frames: list[dict[str, Any]]
    alerts: set[str]
    audit: Said


async def filled_to(server: Server, order_id: str, qty: float) -> float:
    order = await server.until(order_id, lambda o: float(o["filled"]) >= qty or o["status"] in OVER)
    assert order["status"] not in OVER, "too fast for this test"
    return float(order["filled"])


async def backed_up_and_lost(folder: Path, url: str) -> tuple[str, str, int]:
    """The order's id, a cursor from before the backup, and what the venue had at that time."""
    async with running_server(folder, url, SPEED="60") as server:
        order_id: str = (await server.post("/orders", ORDER))["id"]
        async with server.stream("start") as socket:
            await socket.recv()
            cursor: str = json.loads(await socket.recv())["cursor"]
        await server.clock(held=False)
        await filled_to(server, order_id, 300)
        said = await slipstream(folder, "backup", "backup", url=url)
        assert said.code == 0, said.err
        [(before,)] = venue(folder, "SELECT count(*) FROM orders")
        filled = float((await server.get(f"/orders/{order_id}"))["filled"])
        await filled_to(server, order_id, filled + 300)
        await server.clock(held=True)
        refused = await slipstream(folder, "restore", "backup", "--force", url=url)
        assert refused.code == 1
        assert "stop it first" in refused.err
        server.kill("worker")
    return order_id, cursor, before


async def drilled(folder: Path, url: str) -> Drill:
    order_id, cursor, before = await backed_up_and_lost(folder, url)
    said = await slipstream(folder, "restore", "backup", url=url)
    assert said.code == 1
    assert "--force" in said.err
    said = await slipstream(folder, "restore", "backup", "--force", url=url)
    assert said.code == 0, said.err
    [(after,)] = venue(folder, "SELECT count(*) FROM orders")
    [restored] = await fetch(
        url, "SELECT m.value, o.filled, o.next_child FROM orders o, meta m WHERE m.key = 'era'"
    )
    async with running_server(folder, url, SPEED="0") as server:
        async with server.stream(cursor) as socket:
            frames = [json.loads(await socket.recv()) for _ in range(3)]
        await server.clock(speed="0", held=False)
        order = await server.done(order_id)
        alerts = {alert["rule"] for alert in (await server.get("/alerts"))["items"]}
        audit = await slipstream(folder, "audit", url=url)
    return Drill(url, folder, order, cursor, before, after, restored, frames, alerts, audit)


@pytest.fixture(scope="module")
def drill(
    databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drill]:
    with databases.fresh("drill", template) as url:
        yield asyncio.run(drilled(tmp_path_factory.mktemp("drill"), url))


@pytest.mark.campaign
async def test_a_restored_database_is_marked_and_its_old_cursors_are_told_of_a_gap(
    drill: Drill,
) -> None:
    era, filled, next_child = drill.restored
    assert int(era) > int(drill.cursor.split("-")[0])
    assert 300 <= filled < 4000
    assert next_child > 1000
    assert await fetch(drill.url, "SELECT value FROM meta WHERE key = 'restored_at'")
    assert [f["type"] for f in drill.frames] == ["subscribed", "gap", "order.accepted"]


def test_no_child_id_of_the_lost_time_is_used_again(drill: Drill) -> None:
    assert drill.sent_after > drill.sent_before
    prefix = f"sl{order_key(drill.order['id'])}-"
    sent = venue(drill.folder, "SELECT client_id FROM orders ORDER BY number")
    numbers = [int(name.removeprefix(prefix), 36) for (name,) in sent]
    assert len(set(numbers)) == len(numbers) > drill.sent_after
    assert max(numbers[: drill.sent_after]) < 1000 < min(numbers[drill.sent_after :])
    assert venue(drill.folder, "SELECT count(*) FROM repeats") == [(0,)]


async def test_every_execution_of_the_lost_time_is_booked_or_set_aside_with_an_alert(
    drill: Drill,
) -> None:
    there = {name for (name,) in venue(drill.folder, "SELECT execution_id FROM executions")}
    booked = {r[0] for r in await fetch(drill.url, "SELECT execution_id FROM fills")}
    aside = {r[0] for r in await fetch(drill.url, "SELECT execution_id FROM quarantine")}
    assert there == booked | aside
    assert not booked & aside
    assert not aside or drill.alerts, "set aside without a word"


async def test_the_venue_has_no_more_than_was_ordered(drill: Drill) -> None:
    """What the journal lost is adopted: it counts, and is not bought a second time."""
    assert (drill.order["status"], drill.order["filled"]) == ("filled", ORDER["qty"])
    assert venue(drill.folder, "SELECT sum(CAST(qty AS INTEGER)) FROM executions") == [(4000,)]
    assert await fetch(drill.url, "SELECT FROM quarantine") == []
    assert drill.audit.code == 0, drill.audit.out


@pytest.mark.embedded
async def test_the_embedded_database_goes_there_and_back_by_the_commands_of_the_page(
    tmp_path: Path,
) -> None:
    backup, restore = blocks("docs/backup.md", "sh")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    shell = Shell(tmp_path, tmp_path / "data")

    async def run(command: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-ec", command],
            cwd=tmp_path,
            env=shell.environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async with running_server(shell.data, None) as server:
        kept = await server.post("/orders", ORDER)
        assert "bytes" in await run(backup)
        lost = await server.post("/orders", ORDER)
    assert "restored" in await run(restore)
    # Its server was started for the command, and stopped again.
    assert not (shell.data / "postgres" / "postmaster.pid").exists()
    async with running_server(shell.data, None) as server:
        assert (await server.get(f"/orders/{kept['id']}"))["qty"] == "4000"
        assert (await server.client.get(f"/orders/{lost['id']}")).status_code == 404


async def test_a_backup_goes_into_a_folder_that_has_no_database(
    tmp_path: Path, database_url: str
) -> None:
    said = await slipstream(tmp_path, "backup", "file", url=database_url)
    assert said.code == 0, said.err
    there = Shell(tmp_path, tmp_path / "there")
    said = await asyncio.to_thread(there, "restore", "file")
    assert said.code == 0, said.err
    assert (there.data / "postgres" / "PG_VERSION").exists()
    assert not (there.data / "postgres" / "postmaster.pid").exists()
