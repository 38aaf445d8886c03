"""The embedded server: what is waited for, and its settings."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.store import embedded
from app.store.embedded import Embedded

pytestmark = [pytest.mark.slow, pytest.mark.embedded, pytest.mark.timeout(180)]

CUT_SHORT = b"R\x00\x00\x00\x05\x00"
"""An answer to a login with three of its bytes missing: an InternalClientError of the driver."""


@pytest.fixture(scope="module")
def server() -> Iterator[Embedded]:
    # A folder of its own: pytest clears old ones away, even under a server that still runs.
    folder = Path(tempfile.mkdtemp(prefix="slipstream-test-embedded-"))
    running = Embedded(folder)
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


def address(server: Embedded) -> Path:
    (found,) = server.folder.rglob(".s.PGSQL.5432")
    return found


async def test_a_database_that_is_not_there_is_not_waited_for(server: Embedded) -> None:
    connection = await asyncpg.connect(server.url.replace("/postgres?", "/template1?"))
    try:
        await connection.execute("ALTER DATABASE postgres RENAME TO elsewhere")
        began = time.monotonic()
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await server.answers()
        assert time.monotonic() - began < 30
    finally:
        await connection.execute("ALTER DATABASE elsewhere RENAME TO postgres")
        await connection.close()
    await server.answers()


async def test_an_answer_cut_short_is_asked_for_again(server: Embedded) -> None:
    socket, aside = address(server), address(server).with_suffix(".aside")
    asked = 0

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        aside.rename(socket)
        writer.write(CUT_SHORT)
        await writer.drain()
        writer.close()

    socket.rename(aside)
    async with await asyncio.start_unix_server(answer, socket):
        await server.answers()
    assert asked == 1


async def test_the_last_failure_is_told_when_time_is_up(
    server: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ANSWER_SECONDS", 0.5)
    socket, aside = address(server), address(server).with_suffix(".aside")
    socket.rename(aside)
    try:
        with capture_logs() as told, pytest.raises(TimeoutError):
            await server.answers()
    finally:
        aside.rename(socket)
    (line,) = [one for one in told if one["log_level"] == "error"]
    assert line["event"] == "database server does not answer"
    assert "FileNotFoundError" in line["error"]


async def setting(server: Embedded, name: str) -> str:
    connection = await asyncpg.connect(server.url)
    try:
        value: str = await connection.fetchval("SELECT current_setting($1)", name)
    finally:
        await connection.close()
    return value


async def test_it_is_given_our_settings_but_keeps_its_keepers_own(server: Embedded) -> None:
    assert await setting(server, "wal_init_zero") == "on"
    await server.tune()
    assert await setting(server, "wal_init_zero") == "off"
    connection = await asyncpg.connect(server.url)
    await connection.execute("ALTER SYSTEM SET wal_init_zero = on")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    await server.tune()
    assert await setting(server, "wal_init_zero") == "on"
