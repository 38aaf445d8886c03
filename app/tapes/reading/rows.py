"""Delimited text as columns of numbers; what cannot be read is told with its file and line."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """Rows of one file, and the 1-based line on which each of them stands."""

    file: str
    lines: Sequence[int]
    frame: pl.DataFrame

    def refuse(self, wrong: Flags, why: str) -> None:
        """Raises FeedError at the first row that is wrong."""
        if wrong.any():
            self.fail(int(wrong.argmax()), why)

    def fail(self, row: int, why: str) -> NoReturn:
        raise FeedError(f"{self.file}, line {self.lines[row]}: {why}")

    def numbers(self, column: str) -> Floats:
        """A column as it is; refused where it is not a number."""
        numbers = self.frame[column].cast(pl.Float64, strict=False)
        values = numbers.fill_null(float("nan")).to_numpy()
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

    def in_order(self, at: Integers, *, strictly: bool = False, descending: bool = False) -> None:
        """Raises FeedError where time runs the wrong way, or stands still where it must not."""
        forwards = -at if descending else at
        step = np.diff(forwards, prepend=forwards[:1] - 1)
        self.refuse(step < 0, f"time runs {'forwards' if descending else 'backwards'}")
        if strictly:
            self.refuse(step == 0, "a second row of the same time")


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is divided. Without a header its columns are `names`, or else are numbered."""

    separator: str = ","
    header: bool = True
    names: tuple[str, ...] = ()


def numbered(column: int) -> str:
    """The name of a column that has none; the first is 1."""
    return f"column {column}"


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
    form = replace(form, names=form.names or _names(path, content, form))
    missing = [name for name in wanted if name not in form.names]
    if missing:
        raise FeedError(
            f"{path}, line 1: no column {missing[0]!r}; there are {', '.join(form.names)}"
        )
    optional = frozenset(may_be_empty)
    try:
        frame = pl.read_csv(
            io.BytesIO(content),
            separator=form.separator,
            has_header=form.header,
            schema={name: wanted.get(name, pl.String) for name in form.names},
        ).select(*wanted)
        frame = frame.with_columns(pl.col(name).fill_null(0) for name in optional)
        if any(frame[name].null_count() for name in wanted):
            raise pl.exceptions.ComputeError("a value is missing")
    except pl.exceptions.PolarsError as unreadable:
        _explain(path, content, form, wanted, optional)
        raise FeedError(f"{path}: {unreadable}") from unreadable
    first = 2 if form.header else 1
    return Rows(str(path), range(first, first + len(frame)), frame)


def _names(path: Path, content: bytes, form: Format) -> tuple[str, ...]:
    first = content.split(b"\n", 1)[0].decode(errors="replace").strip("\ufeff\r")
    fields = tuple(next(csv.reader([first], delimiter=form.separator), []))
    if not form.header:
        return tuple(numbered(i) for i in range(1, len(fields) + 1))
    if len(set(fields)) != len(fields):
        raise FeedError(f"{path}, line 1: two columns of the same name")
    return fields


def _explain(
    path: Path,
    content: bytes,
    form: Format,
    wanted: Mapping[str, type[pl.DataType]],
    optional: frozenset[str],
) -> None:
    """Raises FeedError for the first line that is at fault; reads slowly, since reading failed."""
    lines = csv.reader(
        io.StringIO(content.decode(errors="replace"), newline=""), delimiter=form.separator
    )
    for number, fields in enumerate(lines, start=1):
        if number == 1 and form.header:
            continue
        if len(fields) != len(form.names):
            raise FeedError(
                f"{path}, line {number}: {len(fields)} columns where {len(form.names)} are expected"
            )
        for name, text in zip(form.names, fields, strict=True):
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
