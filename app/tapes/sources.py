"""Which kind of source some paths are."""

import gzip
from collections.abc import Sequence
from pathlib import Path

from app.ports import Calendar
from app.tapes.binance_source import binance_source
from app.tapes.errors import TapeError
from app.tapes.lean_source import is_lean, lean_source
from app.tapes.material import Source
from app.tapes.stated import Given
from app.tapes.table_source import declared_source, detected_source


def open_source(
    paths: Sequence[Path],
    given: Given,
    calendar: Calendar,
    *,
    root: Path | None = None,
    resolution: str | None = None,
) -> Source:
    """What is to be imported, stated but not read. Raises Ambiguous and TapeError."""
    first = paths[0]
    if first.suffix == ".toml":
        if len(paths) > 1:
            raise TapeError("one layout at a time")
        return declared_source(first, root or first.parent, calendar, given)
    if first.is_dir() and is_lean(first):
        wanted = (given.symbol.upper(),) if given.symbol else ()
        return lean_source(first, resolution, given, calendar, wanted)
    if len(paths) == 1 and _is_dump(first):
        return binance_source(first, calendar)
    return detected_source(paths, given, calendar)


def _is_dump(path: Path) -> bool:
    """A local clock, a space, JSON of a stream."""
    if path.suffix != ".gz" or not path.is_file():
        return False
    try:
        with gzip.open(path) as file:
            return b'"stream"' in file.read(4096)
    except (OSError, EOFError) as broken:
        raise TapeError(f"{path}: cannot be read: {broken}") from broken
