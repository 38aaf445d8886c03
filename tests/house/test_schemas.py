"""Who may work on which schema, and what orders feel of a migration."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import asyncpg
import pytest

from app.store.migrate import WrongSchema, check, known, migrate, newest
from tests.cli.shell import Shell
from tests.house.revisions import CIRCLE, FOLLOWING, fetch, revision_in, waits
from tests.house.test_docs import ROOT

pytestmark = [pytest.mark.timeout(180)]


async def test_a_release_works_on_its_own_schema_and_on_newer_ones_that_only_add(
    database_url: str, following: Path
) -> None:
    await check(database_url)
    await migrate(database_url, beside=following)
    await check(database_url)
    # Started, it does not stumble over a revision that it does not know.
    await migrate(database_url)
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == [FOLLOWING]


async def test_a_release_refuses_a_schema_that_needs_a_newer_one(
    database_url: str, breaking: Path, tmp_path: Path
) -> None:
    await migrate(database_url, beside=breaking)
    says = (
        f"is at revision {FOLLOWING} and needs a release that knows {FOLLOWING};"
        f" this one knows {newest()}"
    )
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
    with pytest.raises(
        WrongSchema, match=f"is at revision 0001, this release needs {newest()}: start"
    ):
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
    async with asyncio.timeout(60):
        await migrating
    stop.set()
    await watching
    # Half a second for the lock, and what a busy machine adds.
    assert 0.3 < max(held) < 2
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == [FOLLOWING]


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
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == [newest()]


SLEEPING = (
    "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
)
WAITING = (
    "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def test_no_migration_waits_in_a_circle_with_who_holds_an_order(empty_url: str) -> None:
    """An order's transaction reads its row to write it: in between, no migration may have anything
    that the writing waits for."""
    first, *later = sorted(known())
    await migrate(empty_url, first)
    for revision in later:
        await step_beside_an_order(empty_url, revision)


async def test_a_migration_that_the_database_ends_for_a_circle_is_tried_again(
    database_url: str, tmp_path: Path
) -> None:
    folder = revision_in(tmp_path / "circle", "", text=CIRCLE)
    order = await asyncpg.connect(database_url)
    try:
        async with order.transaction():
            await order.execute("SELECT id FROM orders FOR UPDATE")
            migrating = asyncio.create_task(migrate(database_url, beside=folder))
            async with asyncio.timeout(30):
                while not await fetch(database_url, SLEEPING):
                    await asyncio.sleep(0.01)
            # Waits for the index; then the drop waits for us, and is the one to go.
            await order.execute("UPDATE orders SET side = side")
            assert not migrating.done()
    finally:
        await order.close()
    async with asyncio.timeout(30):
        await migrating
    assert [r[0] for r in await fetch(database_url, "SELECT * FROM alembic_version")] == [FOLLOWING]


async def step_beside_an_order(url: str, revision: str) -> None:
    order, looker = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with order.transaction():
            await order.execute("SELECT id FROM orders FOR UPDATE")
            migrating = asyncio.create_task(migrate(url, revision))
            async with asyncio.timeout(10):
                while not migrating.done() and not await looker.fetch(WAITING):
                    await asyncio.sleep(0.001)
            await order.execute("UPDATE orders SET side = side")
        async with asyncio.timeout(30):
            await migrating
    finally:
        await order.close()
        await looker.close()
