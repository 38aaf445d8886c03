"""Delimited text as columns of numbers; what cannot be read is told with its file and line."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.domain.tape_search import Flags, Integers
from app.ports import FeedError

Floats = NDArray[np.float64]

ON_GRID = 1e-3
"""How far, in units, a number may lie from a whole one: what floating point adds, and no more."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file. `first_line` is the 1-based line of the first row."""

    file: str
    first_line: int
    frame: pl.DataFrame

    def refuse(self, wrong: Flags, why: str) -> None:
        """Raises FeedError at the first row that is wrong."""
        if wrong.any():
            self.fail(int(wrong.argmax()), why)

    def fail(self, row: int, why: str) -> NoReturn:
        raise FeedError(f"{self.file}, line {self.first_line + row}: {why}")

    def numbers(self, column: str) -> Floats:
        """A column as it is; refused where it is not a number."""
        values = self.frame[column].to_numpy().astype(np.float64)
        self.refuse(~np.isfinite(values), f"{column} is not a number")
        return values

    def units(self, column: str, scale: float, *, zero: bool = False) -> Integers:
        """A column of prices or sizes as whole numbers of 1/`scale`, above zero unless told."""
        values = self.numbers(column)
        self.refuse(values < 0, f"{column} is negative")
        if not zero:
            self.refuse(values == 0, f"{column} is zero")
        scaled = values * scale
        whole = np.rint(scaled)
        self.refuse(np.abs(scaled - whole) > ON_GRID, f"{column} is finer than 1/{scale:g}")
        return whole.astype(np.int64)

    def in_order(self, at: Integers, *, strictly: bool = False) -> None:
        """Raises FeedError where time runs backwards, or stands still where it must not."""
        step = np.diff(at, prepend=at[:1] - 1)
        self.refuse(step < 0, "time runs backwards")
        if strictly:
            self.refuse(step == 0, "a second row of the same time")


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is divided. `names` are its columns, where it has no header to name them."""

    separator: str = ","
    names: tuple[str, ...] | None = None


def unpacked(path: Path) -> bytes:
    """A file's content; that of the only member of a zip. Raises FeedError."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = archive.namelist()
                if len(members) != 1:
                    raise FeedError(f"{path}: {len(members)} files inside, one expected")
                return archive.read(members[0])
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (OSError, EOFError, zipfile.BadZipFile) as broken:
        raise FeedError(f"{path}: cannot be read: {broken}") from broken


def read_rows(
    path: Path,
    form: Format,
    wanted: Mapping[str, type[pl.DataType]],
    *,
    may_be_empty: Iterable[str] = (),
) -> Rows:
    """The wanted columns of a file, each of its type. Raises FeedError.

    Columns in `may_be_empty` are zero where nothing is written.
    """
    content = unpacked(path)
    header = form.names is None
    names = form.names or _header(path, content, form.separator)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise FeedError(
            f"{path}, line 1: no column {missing[0]!r}; the columns are {', '.join(names)}"
        )
    optional = set(may_be_empty)
    try:
        frame = pl.read_csv(
            io.BytesIO(content),
            separator=form.separator,
            has_header=header,
            schema={name: wanted.get(name, pl.String) for name in names},
        ).select(*wanted)
        frame = frame.with_columns(pl.col(name).fill_null(0) for name in optional)
    except pl.exceptions.PolarsError as unreadable:
        _explain(path, content, form, names, wanted, optional)
        raise FeedError(f"{path}: {unreadable}") from unreadable
    if any(frame[name].null_count() for name in wanted):
        _explain(path, content, form, names, wanted, optional)
    return Rows(str(path), 2 if header else 1, frame)


def _header(path: Path, content: bytes, separator: str) -> tuple[str, ...]:
    first = content.split(b"\n", 1)[0].decode(errors="replace").strip("\ufeff\r")
    names = tuple(next(csv.reader([first], delimiter=separator), []))
    if len(set(names)) != len(names):
        raise FeedError(f"{path}, line 1: two columns of the same name")
    return names


def _explain(
    path: Path,
    content: bytes,
    form: Format,
    names: tuple[str, ...],
    wanted: Mapping[str, type[pl.DataType]],
    optional: set[str],
) -> None:
    """Raises FeedError for the first line that is at fault; reads slowly, since reading failed."""
    lines = csv.reader(
        io.StringIO(content.decode(errors="replace"), newline=""), delimiter=form.separator
    )
    for number, fields in enumerate(lines, start=1):
        if number == 1 and form.names is None:
            continue
        if len(fields) != len(names):
            raise FeedError(
                f"{path}, line {number}: {len(fields)} columns where {len(names)} are expected"
            )
        for name, text in zip(names, fields, strict=True):
            if name in wanted and not _readable(text.strip(), wanted[name], name in optional):
                raise FeedError(f"{path}, line {number}: cannot read {name} from {text!r}")


def _readable(text: str, kind: type[pl.DataType], optional: bool) -> bool:
    if not text or kind is pl.String:
        return optional or bool(text)
    try:
        int(text) if kind is pl.Int64 else float(text)
    except ValueError:
        return False
    return True
