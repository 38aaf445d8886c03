"""A real PostgreSQL for every test that asks: one server a run, one cloned database a test.

`make test` uses the one that comes with the package. SLIPSTREAM_TEST_POSTGRES=15 starts Debian's of
that version instead (`make external`), SLIPSTREAM_TEST_DATABASE_URL names any server (its user must
be allowed to create databases). Only what asks for a database runs then: what asks for none, or is
about the embedded server, would be the same again.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from app.store.database import Database
from app.store.migrate import migrate
from app.unsearched import unsearched
from tests.databases import Databases, name_of
from tests.databases import run_sql as run_sql  # Others take both from here.
from tests.databases import with_database as with_database
from tests.lanes import Lanes, in_order
from tests.postgres import VARIABLE, PostgresServer, absence, installed, start_server

settings.register_profile(
    "ci", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("deep", parent=settings.get_profile("ci"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

DATA_SETS = Path(
    os.environ.get("SLIPSTREAM_DATA_SETS", Path(__file__).parents[2] / "shared" / "data")
)


ELSEWHERE = any(os.environ.get(name) for name in (VARIABLE, "SLIPSTREAM_TEST_DATABASE_URL"))
ROOMY = 6 * 2**30
"""Bytes of memory that must be free for the databases to lie there: a process of tests needs half a
gigabyte for them."""

DATABASES = {"server_url", "own_server"}
"""Fixtures from which every database of a test comes."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return Lanes(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_configure() -> None:
    # Whoever starts us in the background of a script may have it ignored, and so would those whom
    # tests start, and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    version = os.environ.get(VARIABLE)
    if version and version not in installed():
        raise pytest.UsageError(absence(version))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = in_order(items)
    if ELSEWHERE:
        asking = [item for item in items if asks_for_a_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in asking])
        items[:] = asking
    if DATA_SETS.is_dir():
        return
    absent = pytest.mark.skip(reason=f"needs market data that is not at {DATA_SETS}")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(absent)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    # Five thousand tests and all that they import live to the end: looking through them again and
    # again is a tenth of the time.
    with unsearched():
        return (yield)


def asks_for_a_database(item: pytest.Item) -> bool:
    """Directly or through other fixtures, and not for the embedded server's sake."""
    asked = DATABASES.intersection(getattr(item, "fixturenames", ()))
    return bool(asked) and item.get_closest_marker("embedded") is None


@pytest.fixture(scope="session")
def data_sets() -> Path:
    """Real market data; only tests marked `data` may ask."""
    return DATA_SETS


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The server's own database; tests get clones."""
    external = os.environ.get("SLIPSTREAM_TEST_DATABASE_URL")
    if external:
        yield external
        return
    with running() as server:
        yield server.url


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    with running() as server:
        yield server


@contextmanager
def running() -> Iterator[PostgresServer]:
    # A folder of its own: pytest clears old ones away, even under a server that still runs.
    folder = Path(tempfile.mkdtemp(prefix="slipstream-test-pg-", dir=roomy_memory()))
    server = start_server(folder)
    asyncio.run(server.hurry())
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def roomy_memory() -> Path | None:
    """A folder in memory if there is plenty: the five hundred files of each database are made and
    removed there in a fifth of the time. It holds no secret and needs to outlive nothing."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        return None
    return memory if min(shutil.disk_usage(memory).free, _available()) > ROOMY else None


def _available() -> int:
    """Bytes of memory that may still be used."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


@pytest.fixture(scope="session")
def databases(server_url: str) -> Iterator[Databases]:
    """Where databases come from; each is dropped by whoever asked for it."""
    made = Databases(server_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def template(databases: Databases) -> Iterator[str]:
    """A migrated database that every test's own is cloned from."""
    with databases.fresh("template") as url:
        asyncio.run(migrate(url))
        yield name_of(url)


@pytest.fixture
def database_url(databases: Databases, template: str) -> Iterator[str]:
    """A fresh, migrated, empty database."""
    with databases.fresh("test", template) as url:
        yield url


if ELSEWHERE:

    @pytest.fixture(scope="session")
    def home_server(server_url: str) -> str:
        """The PostgreSQL of a house that has the embedded one only where there is no other."""
        return server_url

    @pytest.fixture
    def home_url(database_url: str) -> str:
        """The database of such a house."""
        return database_url

else:

    @pytest.fixture(scope="session")
    def home_server() -> None:
        """None: the house starts the embedded one."""

    @pytest.fixture
    def home_url() -> None:
        """None, as well."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()
