"""The schema: up, down and up again, and what the tables say is what a database gets."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, pool
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import create_async_engine

from app.store.database import connect
from app.store.migrate import ROOT, known, migrate, newest
from app.store.tables import Xid8, metadata
from app.store.views import schema_revision
from tests.databases import Databases


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """A database without any schema."""
    with databases.fresh("empty") as url:
        yield url


async def with_alchemy(url: str, work: Any) -> Any:
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool
    )
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


CATALOG = {
    "columns": "SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default,"
    " is_identity FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


async def catalog(url: str) -> dict[str, set[tuple[Any, ...]]]:
    connection = await asyncpg.connect(url)
    found = {
        what: {
            tuple(row)
            for row in await connection.fetch(query)
            if "alembic_version" not in " ".join(map(str, row))
        }
        for what, query in CATALOG.items()
    }
    await connection.close()
    return found


async def test_up_down_and_up_again(empty_url: str) -> None:
    await migrate(empty_url)
    first = await catalog(empty_url)
    await migrate(empty_url, "base")
    assert await catalog(empty_url) == {"columns": set(), "constraints": set(), "indexes": set()}
    await migrate(empty_url)
    assert await catalog(empty_url) == first
    assert {column[0] for column in first["columns"]} == set(metadata.tables)


async def test_migrating_again_changes_nothing(own_url: str) -> None:
    before = await catalog(own_url)
    await migrate(own_url)
    assert await catalog(own_url) == before


async def test_processes_that_start_together_both_find_the_schema(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(3)))
    connection = await connect(empty_url)
    assert await schema_revision(connection) == newest()
    assert await connection.fetchval("SELECT count(*) FROM controls") == 1
    await connection.close()


def test_the_revisions_that_we_know_are_those_of_alembic() -> None:
    """We go by the names of the files: reading them all is not for every process that starts."""
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    assert known() == {script.revision for script in scripts.walk_revisions()}
    assert newest() == scripts.get_current_head()


async def test_an_unmigrated_database_has_no_revision(empty_url: str) -> None:
    connection = await connect(empty_url)
    assert await schema_revision(connection) is None
    await connection.close()


async def test_alembic_sees_no_drift(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PGDialect.ischema_names, "xid8", Xid8)

    def compare(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, metadata)

    assert await with_alchemy(own_url, compare) == []


async def test_the_tables_make_the_very_database_that_migrations_make(
    empty_url: str, own_url: str
) -> None:
    """Stricter than Alembic: check constraints, partial indexes and defaults word for word."""
    await with_alchemy(empty_url, metadata.create_all)
    assert await catalog(empty_url) == await catalog(own_url)


async def test_the_rows_that_must_be_there_from_the_start(own_url: str) -> None:
    connection = await connect(own_url)
    meta = await connection.fetch("SELECT key, value FROM meta")
    controls = await connection.fetch("SELECT scope, name, halted FROM controls")
    await connection.close()
    [(key, era)] = meta
    # From the clock: a cursor of another database must not look like one of this.
    assert key == "era"
    assert abs(int(era) - time.time()) < 3600
    assert [tuple(row) for row in controls] == [("all", "*", False)]
