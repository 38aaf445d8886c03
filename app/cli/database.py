"""Which database a command works on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from app.cli.exits import Exit, Failure
from app.cli.place import data_dir, told

Database = Annotated[
    str | None,
    typer.Option(
        envvar="DATABASE_URL",
        show_default=False,
        help="The database. Default: the server's; if it is stopped, the embedded one.",
    ),
]


@contextmanager
def opened(given: str | None, *, made: bool = False) -> Iterator[str]:
    """The database's address; the embedded one is started if it lies still, and stopped again.

    `made`: where there is none yet, the embedded one is made. Raises Failure.
    """
    if given is not None:
        yield given
        return
    folder = data_dir().resolve()
    embedded = (folder / "postgres" / "PG_VERSION").is_file()
    url: str | None = told().get("database_url")
    if url is not None and (not embedded or _answers(url)):
        yield url
        return
    if not embedded and not made:
        raise Failure(Exit.UNREACHABLE, f"there is no database in {folder}: give --database")
    from app.store.embedded import Embedded

    server = Embedded(folder)
    try:
        yield server.url
    finally:
        server.stop()


def _answers(url: str) -> bool:
    from app.audit import reachable

    return asyncio.run(reachable(url))
