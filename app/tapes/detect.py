"""A layout found out from the data, each guess with what speaks for it.

Where the data allow two readings nothing is guessed: the question is asked, with the option that
answers it (`errors.Ambiguous`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from app.domain.instant import DAY, SECOND, Micros
from app.domain.tape_search import Integers
from app.ports import Calendar
from app.tapes.detect_numbers import decimals_of, lot_of, price_scale_of, tick_of
from app.tapes.detect_time import (
    UTC,
    Hours,
    TimeColumn,
    bar_length_of,
    known,
    offset_hint,
    stamp_of,
    time_column,
    weekend_share,
    zone_of,
)
from app.tapes.errors import Ambiguous, Question, TapeError
from app.tapes.frames import Shape, frame_of, shape_of
from app.tapes.moments import NO_TIME, moments
from app.tapes.naming import Floats, Named, by_content, by_name
from app.tapes.profile import volume_share_inside
from app.tapes.reading.layout import Layout, Stamp, TableKind
from app.tapes.stated import ROUND_THE_CLOCK, USUAL_CALENDAR, Given, Statement, Traits

WEEKENDS = 0.22
"""The share of rows on weekends (two days of seven are 0.29) of a market that never closes."""

INSIDE = 0.6
"""The share of its volume that a market must trade inside of the sessions of its calendar."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file is made of. `layout.files` is empty: whose files these are is told apart."""

    layout: Layout
    shape: Shape
    traits: Traits
    statements: tuple[Statement, ...]


def detect(path: Path, given: Given, calendar: Calendar) -> Detected:
    """Raises Ambiguous, and TapeError for a file that cannot be read."""
    shape = shape_of(path)
    frame = frame_of(path, shape)
    if not len(frame):
        raise TapeError(f"{path}: no rows")
    time = time_column(path, frame, given)
    first = moments(frame[time.name], time.form, UTC, path)
    readable = first[first != NO_TIME]
    descending = len(readable) > 1 and bool(np.mean(np.diff(readable) <= 0) > 0.5)
    upwards = frame.reverse() if descending else frame
    named = by_name(path.name, frame) if shape.header else by_content(path.name, upwards, time.name)
    said = [_shape(shape), _columns(named, time)]
    weights = _weights(upwards, named)
    hours, zone, more = _when(path, upwards, time, weights, given, calendar, named.kind)
    said += more
    at, volume = known(moments(upwards[time.name], time.form, zone, path), weights)
    length, stamp, more = _bars(path, at, volume, hours, named, time, given)
    said += [*more, _direction(readable, descending)]
    prices = _finite(frame, named, ("open", "high", "low", "close", "price", "bid", "ask"))
    sizes = _finite(frame, named, ("volume", "size", "bid_size", "ask_size"))
    scale, price_said = price_scale_of(path.name, prices, given)
    decimals, why = decimals_of(prices / scale)
    tick, tick_said = tick_of(prices / scale, given)
    lot, lot_said = lot_of(sizes, given)
    said += [price_said, Statement("decimals", str(decimals), why), tick_said, lot_said]
    columns = {"time": time.name, **named.columns}
    layout = Layout(
        kind=named.kind,
        columns=columns,
        files={},
        separator=shape.separator or ",",
        header=shape.header,
        timezone=zone,
        time_format=time.form,
        stamp=stamp,
        bar_length=length,
        price_scale=scale,
        decimals=decimals,
        descending=descending,
    )
    return Detected(layout, shape, Traits(hours.name, tick, lot), tuple(said))


def _shape(shape: Shape) -> Statement:
    if shape.separator is None:
        return Statement("format", "parquet", "by the file's name")
    header = "a header" if shape.header else "no header: the first line holds data"
    return Statement("format", f"text divided by {shape.separator!r}", header)


def _columns(named: Named, time: TimeColumn) -> Statement:
    columns = ", ".join(f"{field} = {column}" for field, column in named.columns.items())
    return Statement(f"{named.kind}", f"time = {time.name}, {columns}", named.why)


def _direction(at: Integers, descending: bool) -> Statement:
    share = float(np.mean((np.diff(at) <= 0) if descending else (np.diff(at) >= 0)))
    order = "newest first" if descending else "oldest first"
    return Statement("order", order, f"{share:.0%} of the rows" if len(at) > 1 else "one row")


def _when(
    path: Path,
    frame: pl.DataFrame,
    time: TimeColumn,
    weights: Floats,
    given: Given,
    calendar: Calendar,
    kind: TableKind,
) -> tuple[Hours, ZoneInfo, list[Statement]]:
    """Calendar and zone."""
    column = frame[time.name]
    said = [Statement("time", f"{time.name} as {time.form}", time.why)]
    if time.dates_only:
        hours = Hours(given.calendar or USUAL_CALENDAR, calendar)
        why = "as told" if given.calendar else "the usual one; days need no zone"
        return hours, UTC, [*said, Statement("calendar", hours.name, why)]
    hours, more = _calendar(path, column, time, given, calendar)
    if given.timezone is not None and not time.zoned:
        said.append(Statement("time zone", given.timezone, "as told"))
        zone = ZoneInfo(given.timezone)
    elif time.zoned or hours.name == ROUND_THE_CLOCK:
        zone = UTC
        if not time.zoned:
            text = "in which zone are the times?"
            raise Ambiguous(path.name, (Question("--timezone ZONE", text),))
        said.append(Statement("time zone", "UTC", "the times say so"))
    else:
        zone, found = zone_of(path, column, time, weights, hours)
        said.append(found)
    at, volume = known(moments(column, time.form, zone, path), weights)
    share = volume_share_inside(at, volume, hours.around(at))
    if given.calendar is None and share < INSIDE:
        hint = offset_hint(at, volume, hours)
        text = (
            f"of which exchange are the sessions? {share:.0%} of the volume is inside of"
            f" {hours.name}'s{hint}"
        )
        options = "--calendar NAME" + ("" if time.zoned else " or --timezone ZONE")
        raise Ambiguous(path.name, (Question(options, text),))
    evidence = more or f"{share:.0%} of the volume is inside of its sessions"
    return hours, zone, [*said, Statement("calendar", hours.name, evidence)]


def _calendar(
    path: Path, column: pl.Series, time: TimeColumn, given: Given, calendar: Calendar
) -> tuple[Hours, str]:
    if given.calendar is not None:
        hours = Hours(given.calendar, calendar)
        try:
            calendar.sessions(hours.name, 0, DAY)
        except ValueError as unknown:
            raise TapeError(str(unknown)) from unknown
        return hours, "as told"
    at = moments(column, time.form, UTC, path)
    share = weekend_share(at[at != NO_TIME])
    if share > WEEKENDS:
        return Hours(ROUND_THE_CLOCK, calendar), f"{share:.0%} of the rows are on weekends"
    return Hours(USUAL_CALENDAR, calendar), ""


def _bars(
    path: Path,
    at: Integers,
    volume: Floats,
    hours: Hours,
    named: Named,
    time: TimeColumn,
    given: Given,
) -> tuple[Micros, Stamp, list[Statement]]:
    """Length and stamp of bars."""
    if named.kind is not TableKind.BARS:
        return 60 * SECOND, Stamp.START, []
    if time.dates_only:
        return DAY, Stamp.START, [Statement("bar length", "a day", "the times are dates")]
    if given.bar_length is not None:
        length = given.bar_length * SECOND
        said = [Statement("bar length", f"{given.bar_length} s", "as told")]
    else:
        length, found = bar_length_of(path, at)
        said = [found]
    if given.stamp is not None:
        return (
            length,
            Stamp(given.stamp),
            [*said, Statement("stamp", f"{given.stamp} of the bar", "as told")],
        )
    stamp, found = stamp_of(path, at, volume, length, hours)
    return length, stamp, [*said, found]


def _weights(frame: pl.DataFrame, named: Named) -> Floats:
    """What each row traded; a quote counts as one."""
    column = named.columns.get("volume") or named.columns.get("size")
    if column is None:
        return np.ones(len(frame))
    return _floats(frame[column])


def _finite(frame: pl.DataFrame, named: Named, fields: Sequence[str]) -> Floats:
    columns = [_floats(frame[named.columns[f]]) for f in fields if f in named.columns]
    values = np.concatenate(columns)
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        raise TapeError(f"no {fields[0]} is a number above zero")
    return values


def _floats(column: pl.Series) -> Floats:
    return column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
