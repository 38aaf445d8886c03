"""A table of a known layout as raw rows, nothing refused that can be named instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

import numpy as np
import polars as pl

from app.domain.tape_search import Integers
from app.tapes.errors import TapeError
from app.tapes.frames import Shape, frame_of, is_parquet
from app.tapes.moments import NO_TIME, moments
from app.tapes.raw import Floats, Origin, RawBars, RawQuotes, RawTrades
from app.tapes.reading.layout import Layout, Stamp, TableKind
from app.tapes.reading.rows import numbered

Raw = RawBars | RawTrades | RawQuotes


def read_table(layout: Layout, files: Sequence[Path]) -> Raw:
    """All rows of some files, one after the other. Raises TapeError."""
    frames = [_frame(layout, path) for path in files]
    shapes = [shape_in(layout, path) for path in files]
    origin = Origin(
        tuple(files),
        np.concatenate([np.full(len(f), i, dtype=np.int64) for i, f in enumerate(frames)]),
        np.concatenate(
            [np.arange(len(f)) + s.first_line for f, s in zip(frames, shapes, strict=True)]
        ),
    )
    at = np.concatenate([_times(layout, f, p) for f, p in zip(frames, files, strict=True)])

    def column(field: str) -> Floats:
        return np.concatenate([_floats(frame[field]) for frame in frames])

    def price(field: str) -> Floats:
        return np.asarray(column(field) / layout.price_scale)

    match layout.kind:
        case TableKind.BARS:
            average = price("average") if "average" in layout.columns else None
            prices = [price(name) for name in ("open", "high", "low", "close")]
            opens, highs, lows, closes = prices
            volume, length = column("volume"), layout.bar_length
            return RawBars(origin, at, opens, highs, lows, closes, volume, average, length)
        case TableKind.TRADES:
            return RawTrades(origin, at, price("price"), column("size"))
        case TableKind.QUOTES:
            sizes = column("bid_size"), column("ask_size")
            return RawQuotes(origin, at, price("bid"), price("ask"), *sizes)
        case _:
            assert_never(layout.kind)


def shape_in(layout: Layout, path: Path) -> Shape:
    return Shape(None if is_parquet(path) else layout.separator, layout.header)


def _frame(layout: Layout, path: Path) -> pl.DataFrame:
    """The columns by the names of their fields."""
    frame = frame_of(path, shape_in(layout, path))
    sources = {
        field: column if isinstance(column, str) else numbered(column)
        for field, column in layout.columns.items()
    }
    missing = [name for name in sources.values() if name not in frame.columns]
    if missing:
        raise TapeError(f"{path}: no column {missing[0]!r}; there are {', '.join(frame.columns)}")
    return frame.select(pl.col(source).alias(field) for field, source in sources.items())


def _times(layout: Layout, frame: pl.DataFrame, path: Path) -> Integers:
    at = moments(frame["time"], layout.time_format, layout.timezone, path)
    if layout.kind is TableKind.BARS and layout.stamp is Stamp.END:
        return np.where(at == NO_TIME, at, at - layout.bar_length)
    return at


def _floats(column: pl.Series) -> Floats:
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    return column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
