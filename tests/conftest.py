"""A real PostgreSQL for every test that asks: one server a run, one cloned database a test.

SLIPSTREAM_TEST_DATABASE_URL names an external server instead (its user must be allowed to create
databases); `make test` uses the embedded one.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from app.store.database import Database
from app.store.embedded import Embedded
from app.store.migrate import migrate

settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("deep", parent=settings.get_profile("ci"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

DATA_SETS = Path(
    os.environ.get("SLIPSTREAM_DATA_SETS", Path(__file__).parents[2] / "shared" / "data")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if DATA_SETS.is_dir():
        return
    absent = pytest.mark.skip(reason=f"needs market data that is not at {DATA_SETS}")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def data_sets() -> Path:
    """Real market data; only tests marked `data` may ask."""
    return DATA_SETS


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


async def run_sql(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The server's own database; tests get clones."""
    external = os.environ.get("SLIPSTREAM_TEST_DATABASE_URL")
    if external:
        yield external
        return
    # A folder of its own: pytest clears old ones away, even under a server that still runs.
    folder = Path(tempfile.mkdtemp(prefix="slipstream-test-pg-"))
    server = Embedded(folder)
    # Durability against power loss is not what these tests are about; kill -9 keeps its meaning.
    asyncio.run(run_sql(server.url, "ALTER SYSTEM SET fsync = off"))
    asyncio.run(run_sql(server.url, "SELECT pg_reload_conf()"))
    yield server.url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """A migrated database that every test's own is cloned from."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    asyncio.run(run_sql(server_url, f"CREATE DATABASE {name}"))
    asyncio.run(migrate(with_database(server_url, name)))
    yield name
    asyncio.run(run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A fresh, migrated, empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    asyncio.run(run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield with_database(server_url, name)
    asyncio.run(run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()
