"""The time column of a declared table as instants."""

import re
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from app.domain.instant import MILLISECOND, SECOND, Instant, from_datetime
from app.domain.tape_search import Integers
from app.ports import FeedError
from app.tapes.reading.rows import Rows

MS_SINCE_MIDNIGHT = "ms_since_midnight"
ISO = "iso"
NANOSECONDS = 1000
"""In a microsecond."""
EPOCHS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
_ZONED = r"(Z|[+-]\d\d:?\d\d)$"


def time_type(form: str) -> type[pl.DataType]:
    """What the column is read as. Whole numbers stay whole: a float has no room for ns."""
    if form in (MS_SINCE_MIDNIGHT, "epoch_s"):
        return pl.Float64
    return pl.Int64 if form in EPOCHS else pl.String


def times_of(rows: Rows, form: str, zone: ZoneInfo) -> Integers:
    """The column `time` as instants; local times without a zone are of `zone`.

    Raises FeedError where a time cannot be read, or is none or two moments in its zone.
    """
    if form in EPOCHS:
        return _epochs(rows, form)
    if form == MS_SINCE_MIDNIGHT:
        elapsed = np.rint(rows.numbers("time") * MILLISECOND).astype(np.int64)
        return np.asarray(_midnight(Path(rows.file), zone) + elapsed)
    return _written(rows, form, zone)


def _epochs(rows: Rows, form: str) -> Integers:
    if form == "epoch_s":
        return np.rint(rows.numbers("time") * SECOND).astype(np.int64)
    counted: Integers = rows.frame["time"].to_numpy()
    if form == "epoch_ns":
        return counted // NANOSECONDS
    return counted * MILLISECOND if form == "epoch_ms" else counted


def _midnight(file: Path, zone: ZoneInfo) -> Instant:
    digits = re.search(r"\d{8}", file.name)
    if digits is None:
        raise FeedError(f"{file}: its name does not say the day, as in 20131007_trade.csv")
    try:
        day = date.fromisoformat(digits.group())
    except ValueError as no_day:
        raise FeedError(f"{file}: {digits.group()} is no day") from no_day
    return from_datetime(datetime.combine(day, time(), tzinfo=zone))


def _written(rows: Rows, form: str, zone: ZoneInfo) -> Integers:
    text = rows.frame["time"].str.strip_chars()
    if form == ISO:
        text = text.str.replace(" ", "T", literal=True)
        zoned = bool(len(text)) and re.search(_ZONED, text[0]) is not None
        form = "%+" if zoned else "%Y-%m-%dT%H:%M:%S%.f"
    try:
        moments = text.str.to_datetime(form, time_unit="us", strict=False)
    except pl.exceptions.PolarsError as useless:
        raise FeedError(f"{rows.file}: cannot read times as {form!r}: {useless}") from useless
    rows.refuse(moments.is_null().to_numpy(), f"cannot read the time as {form!r}")
    if moments.dtype == pl.Datetime("us"):
        moments = moments.dt.replace_time_zone(zone.key, ambiguous="null", non_existent="null")
        rows.refuse(moments.is_null().to_numpy(), f"no single moment of {zone.key}")
    return moments.dt.timestamp("us").to_numpy()
