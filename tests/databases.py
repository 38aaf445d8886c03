"""Makes databases on a server, and drops them: a thousand in a run, so each must be cheap."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{name}"))


def name_of(url: str) -> str:
    """The name of the database at `url`."""
    return urlsplit(url).path.removeprefix("/")


async def run_sql(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Databases:
    """One server's, through one connection that lives as long as this."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection | None = None

    @contextmanager
    def fresh(self, kind: str, template: str | None = None) -> Iterator[str]:
        """The URL of a new database, empty or as the one that is called `template`; dropped at the
        end."""
        name = f"{kind}_{uuid.uuid4().hex[:12]}"
        # Its files copied, instead of each page written to the log: a third of the work, where
        # nobody waits for a disk.
        copied = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
        self._run(f"CREATE DATABASE {name}{copied}")
        try:
            yield with_database(self._server_url, name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        if self._connection is not None:
            self._loop.run_until_complete(self._connection.close())
        self._loop.close()

    def _run(self, statement: str) -> None:
        try:
            self._loop.run_until_complete(self._execute(statement))
        except BaseException:
            # A test that is cut off for its time may leave it in the middle of a word.
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            raise

    async def _execute(self, statement: str) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._server_url)
        await self._connection.execute(statement)
