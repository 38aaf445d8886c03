"""Delimited files and Parquet as frames: text stays text until somebody says what it is."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from app.ports import FeedError
from app.tapes.errors import TapeError
from app.tapes.reading.rows import numbered, unpacked

SEPARATORS = (",", ";", "\t", "|")
SNIFFED_LINES = 100
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is divided; `separator` is None for Parquet, which says so itself."""

    separator: str | None
    header: bool

    @property
    def first_line(self) -> int:
        """The line (in Parquet: the row) on which the first row of data stands."""
        return 2 if self.header and self.separator is not None else 1


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() in PARQUET


def shape_of(path: Path) -> Shape:
    """The separator that divides the first lines alike, and whether the first names columns."""
    if is_parquet(path):
        return Shape(None, True)
    lines = _content(path)[: 1 << 16].decode(errors="replace").lstrip("\ufeff").splitlines()
    lines = [line for line in lines[:SNIFFED_LINES] if line.strip()]
    if not lines:
        raise TapeError(f"{path}: the file is empty")
    separator = max(SEPARATORS, key=lambda s: _evenness(lines, s))
    fields = next(csv.reader([lines[0]], delimiter=separator))
    header = not any(any(c.isdigit() for c in f) and _number_or_time(f) for f in fields)
    return Shape(separator, header)


def columns_of(path: Path) -> list[str]:
    """The names of a file's columns; its rows are not read."""
    return frame_of(path, shape_of(path), rows=1).columns


def frame_of(path: Path, shape: Shape, rows: int | None = None) -> pl.DataFrame:
    """All columns of a file, those of a delimited one as text. Raises TapeError.

    `rows`: only so many of them.
    """
    try:
        if shape.separator is None:
            return pl.read_parquet(path, n_rows=rows)
        frame = pl.read_csv(
            io.BytesIO(_content(path)),
            separator=shape.separator,
            has_header=shape.header,
            infer_schema=False,
            n_rows=rows,
        )
    except (pl.exceptions.PolarsError, OSError) as broken:
        raise TapeError(f"{path}: cannot be read: {_first_line(broken)}") from broken
    if not shape.header:
        frame.columns = [numbered(i) for i in range(1, frame.width + 1)]
    else:
        frame.columns = [name.strip() for name in frame.columns]
    return frame


def texts(column: pl.Series, count: int = SNIFFED_LINES) -> Sequence[str]:
    """Some values of a column, spread over its length, as text."""
    known = column.drop_nulls()
    step = max(len(known) // count, 1)
    return [str(value).strip() for value in known.gather_every(step).to_list()]


def _content(path: Path) -> bytes:
    try:
        return unpacked(path)
    except FeedError as broken:
        raise TapeError(str(broken)) from broken


def _evenness(lines: Sequence[str], separator: str) -> tuple[float, int]:
    """The share of lines that have the usual number of separators, and that number."""
    counts = Counter(line.count(separator) for line in lines)
    usual, times = counts.most_common(1)[0]
    return (times / len(lines), usual) if usual else (0.0, 0)


def _number_or_time(text: str) -> bool:
    return all(c.isdigit() or c in " +-.:/TZeE" for c in text.strip())


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
