"""Straight to the database, for when nothing else of ours answers."""

import asyncio
import getpass
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from app.cli.exits import Exit, Failure
from app.cli.place import data_dir, told

Result = TypeVar("Result")


def directly(given: str | None, work: Callable[[str], Coroutine[Any, Any, Result]]) -> Result:
    """Do something on the database that is given, else on that of the data directory.

    The embedded one is started for it where it lies still. Raises Failure.
    """
    from app.domain.refusal import Refusal
    from app.store.database import unreachable

    with _database(given) as url:
        try:
            return asyncio.run(work(url))
        except Refusal as refusal:
            raise Failure(Exit.REFUSED, f"{refusal.message} ({refusal.code})") from None
        except Exception as failure:
            if not unreachable(failure):
                raise
            raise Failure(Exit.UNREACHABLE, f"cannot reach the database: {failure}") from None


def who() -> str:
    """Who is at the keyboard, as far as the machine knows."""
    # A container may know no name for its user.
    with suppress(OSError, KeyError, ImportError):
        return f"direct:{getpass.getuser()}"
    return "direct"


@contextmanager
def _database(given: str | None) -> Iterator[str]:
    if given is not None:
        yield given
        return
    url: str | None = told().get("database_url")
    folder = data_dir().resolve()
    embedded = (folder / "postgres" / "PG_VERSION").is_file()
    if url is not None and (not embedded or not _lies_still(url)):
        yield url
        return
    if not embedded:
        raise Failure(Exit.UNREACHABLE, f"there is no database in {folder}: give --database")
    from app.store.embedded import Embedded

    server = Embedded(folder)
    try:
        yield server.url
    finally:
        server.stop()


def _lies_still(url: str) -> bool:
    """Whether no server runs on the embedded database: one that does is not ours to stop."""
    from app.audit import reachable

    return not asyncio.run(reachable(url))
