"""Backup and restore of one database: whole or not at all, with a sentence that says why."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.store import backup
from app.store.backup import NoBackup, back_up, restore
from app.store.database import Database
from app.store.migrate import check
from tests.store.conftest import run
from tests.store.seeds import enter, fetch, value, working


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url, connections=1)
    yield database
    await database.close()


async def done(work: Callable[..., int | None], *arguments: Any, **named: Any) -> int | None:
    return await asyncio.to_thread(work, *arguments, **named)


async def test_what_was_there_is_there_again_and_marked(own_url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    async with opened(own_url) as database:
        kept = await working(database)
        before = await fetch(database, "SELECT order_id, seq, type, data FROM events ORDER BY id")
        [(era, next_child)] = await fetch(
            database, "SELECT m.value, next_child FROM meta m, orders WHERE m.key = 'era'"
        )
        await fetch(
            database,
            "INSERT INTO leases (name, owner, epoch, until)"
            " VALUES ('desk:a1', 'w1', 7, clock_timestamp() + interval '1 h')",
        )
        await fetch(database, "INSERT INTO meta (key, value) VALUES ('events_floor', '1-2-3')")
        await fetch(database, "INSERT INTO readers (name, cursor) VALUES ('r', '1-2-3')")
        size = await done(back_up, own_url, file)
        assert size == file.stat().st_size > 10_000
        assert file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(NoBackup, match="exists already"):
            await done(back_up, own_url, file)
        await enter(database)
        with pytest.raises(NoBackup, match="a server is working on this database: stop it first"):
            await done(restore, own_url, file, force=True)
    await run(own_url, "CREATE TABLE of_the_lost_time (x int)")
    with pytest.raises(NoBackup, match="there are orders in this database: --force"):
        await done(restore, own_url, file, force=False)
    await done(restore, own_url, file, force=True)
    await check(own_url)
    async with opened(own_url) as database:
        [order] = await fetch(database, "SELECT id, next_child, attention FROM orders")
        assert order["id"] == kept
        # As many seconds as the order is old, where those are more: on a slow machine a few.
        assert next_child + 1000 <= order["next_child"] < next_child + 1100
        assert order["attention"]
        after = await fetch(database, "SELECT order_id, seq, type, data FROM events ORDER BY id")
        assert after == before
        readable = "SELECT bool_and(xid < pg_snapshot_xmin(pg_current_snapshot())) FROM events"
        assert await value(database, readable)
        meta = {row["key"]: row["value"] for row in await fetch(database, "SELECT * FROM meta")}
        assert set(meta) == {"era", "restored_at"}
        assert int(meta["era"]) > int(era)
        [lease] = await fetch(database, "SELECT owner, epoch > 1700000000, until FROM leases")
        assert tuple(lease) == (None, True, None)
        assert await value(database, "SELECT count(*) FROM readers") == 0
        assert await value(database, "SELECT to_regclass('of_the_lost_time')") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup"]


async def test_no_child_number_comes_again_when_a_backup_is_restored_twice(
    own_url: str, tmp_path: Path
) -> None:
    async with opened(own_url) as database:
        await working(database)
        next_child = await value(database, "SELECT next_child FROM orders")
    await done(back_up, own_url, tmp_path / "backup")
    await done(restore, own_url, tmp_path / "backup", force=True)
    async with opened(own_url) as database:
        skipped = await value(database, "SELECT next_child FROM orders")
        assert next_child + 1000 <= skipped < next_child + 1100
        await fetch(database, "UPDATE orders SET next_child = next_child + 7, status = 'filled'")
    await done(restore, own_url, tmp_path / "backup", force=True)
    async with opened(own_url) as database:
        assert await value(database, "SELECT next_child FROM orders") == skipped + 1007
        # Where nothing of the time between is known, the clock speaks for it.
        await fetch(database, "UPDATE orders SET created_at = created_at - interval '1 h'")
    await done(back_up, own_url, tmp_path / "old")
    await run(own_url, "DROP TABLE orders CASCADE")
    await done(restore, own_url, tmp_path / "old", force=True)
    async with opened(own_url) as database:
        assert 4600 <= await value(database, "SELECT next_child FROM orders") < 4700


async def test_a_restore_that_fails_changes_nothing(own_url: str, tmp_path: Path) -> None:
    async with opened(own_url) as database:
        await enter(database)
    await done(back_up, own_url, tmp_path / "good")
    good = (tmp_path / "good").read_bytes()
    (tmp_path / "torn").write_bytes(good[:-300])
    (tmp_path / "text").write_text("no backup")
    async with opened(own_url) as database:
        await enter(database)
    for name, says in (("torn", "failed"), ("text", "cannot be read"), ("absent", "no file")):
        with pytest.raises(NoBackup, match=says):
            await done(restore, own_url, tmp_path / name, force=True)
    with pytest.MonkeyPatch.context() as patch:
        # What follows the data fails: the data goes with it.
        patch.setattr(backup, "_MARK", "SELECT 1 / 0;")
        with pytest.raises(NoBackup, match="division by zero"):
            await done(restore, own_url, tmp_path / "good", force=True)
    async with opened(own_url) as database:
        assert await value(database, "SELECT count(*) FROM orders") == 2
        assert await value(database, "SELECT count(*) FROM meta") == 1


async def test_a_database_that_is_not_there_is_said(own_url: str, tmp_path: Path) -> None:
    absent = own_url.replace("/store_", "/absent_")
    with pytest.raises(NoBackup, match="does not exist"):
        await done(back_up, absent, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_tools_that_are_absent_or_too_old_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match=r"pg_dump is not installed: install PostgreSQL 18"):
        backup._new_enough([], 18, "pg_dump")
    old = backup.Tool(tmp_path, 14)
    with pytest.raises(NoBackup, match="PostgreSQL 18, the newest pg_dump here is 14"):
        backup._new_enough([old], 18, "pg_dump")
    enough = [backup.Tool(tmp_path, major) for major in (14, 16, 18)]
    assert backup._new_enough(enough, 15, "pg_dump").major == 16
    with pytest.raises(NoBackup, match="does not go back to an older version"):
        backup._checked("; Dumped from database version: 18.4", 15)
    with pytest.raises(NoBackup, match="no backup of Slipstream"):
        backup._checked("; Dumped from database version: 15.1", 15)
