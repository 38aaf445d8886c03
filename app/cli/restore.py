"""`slipstream restore`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.database import Database, opened
from app.cli.exits import Exit, Failure


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `slipstream backup` wrote.")],
    database: Database = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even in the place of a database that has orders.")
    ] = False,
) -> None:
    """Put the database back to a backup. The server must be stopped.

    Started again, every desk asks its broker what happened since, before it sends anything.
    """
    from app.store.backup import NoBackup
    from app.store.backup import restore as put_back

    with opened(database, made=True) as url:
        try:
            put_back(url, file, force=force)
        except NoBackup as reason:
            raise Failure(Exit.FAILED, f"not restored: {reason}") from None
        except OSError as error:
            raise Failure(Exit.UNREACHABLE, f"not restored: {error}") from None
    print("restored: start the server, and its desks reconcile before they send")
