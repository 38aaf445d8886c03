"""One database for this folder, emptied before each test: a hundred clones would cost a minute."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from app.store.database import Database
from app.store.tables import metadata
from tests.databases import Databases

# Rows of the logs cannot be deleted, except by whoever may switch triggers off.
EMPTYING = "; ".join(
    [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in reversed(metadata.sorted_tables)),
        "SET session_replication_role = origin",
    ]
)
SEEDED = ("meta", "controls", "limit_state")


async def run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.fixture(scope="session")
def shared_url(databases: Databases, template: str) -> Iterator[str]:
    """A clone with its first rows set aside, to be put back after each emptying."""
    with databases.fresh("store", template) as url:
        keeping = (f"CREATE TABLE kept.{table} AS TABLE {table}" for table in SEEDED)
        asyncio.run(run(url, "CREATE SCHEMA kept", *keeping))
        yield url


@pytest.fixture
def database_url(shared_url: str) -> str:
    """The folder's database, as migrations leave it."""
    ending = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_type ="
        " 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    restoring = (f"INSERT INTO {table} TABLE kept.{table}" for table in SEEDED)
    asyncio.run(run(shared_url, ending, EMPTYING, *restoring))
    return shared_url


@pytest.fixture
def own_url(databases: Databases, template: str) -> Iterator[str]:
    """A database of the test's own: for thousands of rows, and their statistics."""
    with databases.fresh("store", template) as url:
        yield url


@pytest.fixture
async def pools(database_url: str) -> AsyncIterator[list[Database]]:
    """Three pools on one database, as three processes have them."""
    opened = [await Database.open(database_url, connections=6) for _ in range(3)]
    yield opened
    for database in opened:
        # Not `close`: a test that failed may have left something waiting.
        database.pool.terminate()
