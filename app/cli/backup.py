"""`slipstream backup`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.database import Database, opened
from app.cli.exits import Exit, Failure


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    database: Database = None,
) -> None:
    """Write the whole database to a file, while orders are working."""
    from app.store.backup import NoBackup, back_up

    with opened(database) as url:
        try:
            size = back_up(url, file)
        except NoBackup as reason:
            raise Failure(Exit.FAILED, f"no backup: {reason}") from None
        except OSError as error:
            raise Failure(Exit.UNREACHABLE, f"no backup: {error}") from None
    print(f"{file}: {size:,} bytes")
