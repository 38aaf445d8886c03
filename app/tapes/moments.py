"""The time column of any table as instants; what cannot be read is marked, not refused."""

import re
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from app.domain.instant import MILLISECOND, SECOND, from_datetime
from app.domain.tape_search import Integers
from app.tapes.reading.times import EPOCHS, ISO, MS_SINCE_MIDNIGHT

NO_TIME = np.iinfo(np.int64).min
"""Stands where a time could not be read."""

_MICROS = {"epoch_s": SECOND, "epoch_ms": MILLISECOND, "epoch_us": 1}
_ISO_PARTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
ZONED = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def moments(column: pl.Series, form: str, zone: ZoneInfo, file: Path) -> Integers:
    """Instants in microseconds; `NO_TIME` where a text is none, or no single moment of `zone`."""
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        return _dated(column, zone)
    if form in EPOCHS or form == MS_SINCE_MIDNIGHT:
        return _counted(column, form, zone, file)
    text = column.cast(pl.String).str.strip_chars()
    return _dated(_parsed(text, form), zone)


def midnight(file: Path, zone: ZoneInfo) -> int | None:
    """The midnight of the day that a file is named after."""
    digits = re.search(r"\d{8}", file.name)
    try:
        day = date.fromisoformat(digits.group()) if digits else None
    except ValueError:
        return None
    return from_datetime(datetime.combine(day, time(), tzinfo=zone)) if day else None


def _counted(column: pl.Series, form: str, zone: ZoneInfo, file: Path) -> Integers:
    start = 0
    if form == MS_SINCE_MIDNIGHT:
        found = midnight(file, zone)
        if found is None:
            return np.full(len(column), NO_TIME, dtype=np.int64)
        start, form = found, "epoch_ms"
    if form == "epoch_ns":
        whole = column.cast(pl.Int64, strict=False) // 1000
    else:
        # Microseconds of this century have room in a float.
        whole = (column.cast(pl.Float64, strict=False) * _MICROS[form]).round().cast(pl.Int64)
    return (whole + start).fill_null(NO_TIME).to_numpy().astype(np.int64)


def _parsed(text: pl.Series, form: str) -> pl.Series:
    if form != ISO:
        dated = text.str.to_datetime(form, time_unit="us", strict=False)
        return dated if "%H" in form or dated.null_count() < len(text) else _days(text, form)
    text = text.str.replace(" ", "T", literal=True)
    first = text.drop_nulls()
    if len(first) and ZONED.search(first[0]):
        return text.str.to_datetime("%+", time_unit="us", strict=False)
    tried = [text.str.to_datetime(f, time_unit="us", strict=False) for f in _ISO_PARTS[:2]]
    tried.append(_days(text, _ISO_PARTS[2]))
    return min(tried, key=lambda series: series.null_count())


def _days(text: pl.Series, form: str) -> pl.Series:
    return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))


def _dated(column: pl.Series, zone: ZoneInfo) -> Integers:
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        column = column.dt.replace_time_zone(zone.key, ambiguous="null", non_existent="null")
    return column.dt.timestamp("us").fill_null(NO_TIME).to_numpy().astype(np.int64)
