"""Where the tapes are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.exits import Exit, Failure

if TYPE_CHECKING:
    from app.tapes.store import TapeStore

Tapes = Annotated[
    Path | None,
    typer.Option(
        "--tapes", help="The tape store. Default: SLIPSTREAM_TAPES, or tapes in the data directory."
    ),
]


def tapes_root(told: Path | None) -> Path:
    """The folder of the store."""
    from pydantic import ValidationError

    from app.cli.place import wrong_settings
    from app.settings import Settings

    if told is not None:
        return told
    try:
        settings = Settings()
    except ValidationError as error:
        raise Failure(Exit.USAGE, wrong_settings(error)) from None
    return settings.tapes or settings.data_dir / "tapes"


def tape_store(told: Path | None) -> "TapeStore":
    from app.tapes.store import TapeStore

    return TapeStore(tapes_root(told))
