"""Which column is the time, how it is written, in which zone, and which end of a bar it is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from app.domain.instant import DAY, HOUR, SECOND, Micros
from app.domain.session import Session
from app.domain.tape_search import Integers
from app.ports import Calendar
from app.tapes.errors import Ambiguous, Question
from app.tapes.frames import texts
from app.tapes.moments import NO_TIME, ZONED, midnight, moments
from app.tapes.naming import NAMES, Floats, plain
from app.tapes.profile import best_offset, day_profile, stamp_votes, volume_share_inside
from app.tapes.reading.layout import Stamp
from app.tapes.reading.stretches import days
from app.tapes.reading.times import EPOCHS, ISO, MS_SINCE_MIDNIGHT
from app.tapes.stated import ZONES, Given, Statement

UTC = ZoneInfo("UTC")
CLEARLY = 0.15
"""By how much more of the volume one reading must put inside of sessions than another."""
MOSTLY = 0.8

_EPOCH_DIGITS = {10: "epoch_s", 13: "epoch_ms", 16: "epoch_us", 19: "epoch_ns"}
_DATE, _TIME, _FULL = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d", r"\d\d:\d\d:\d\d"
_PATTERNS: tuple[tuple[str, str], ...] = (
    (rf"{_DATE}[T ]{_TIME}(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", ISO),
    (r"\d{8} \d{6}", "%Y%m%d %H%M%S"),
    (rf"\d{{8}} {_FULL}", "%Y%m%d %H:%M:%S"),
    (rf"\d{{8}} {_TIME}", "%Y%m%d %H:%M"),
    (r"\d{14}", "%Y%m%d%H%M%S"),
    (_DATE, "%Y-%m-%d"),
    (r"[12]\d{3}[01]\d[0-3]\d", "%Y%m%d"),
    (rf"\d{{4}}/\d\d/\d\d {_FULL}", "%Y/%m/%d %H:%M:%S"),
)
_SLASHED = re.compile(r"(\d\d?)[/.](\d\d?)[/.](\d{4})( \d\d:\d\d(:\d\d)?)?")


@dataclass(frozen=True, slots=True)
class TimeColumn:
    name: str
    form: str
    zoned: bool
    """Whether the times are moments by themselves."""
    why: str

    @property
    def dates_only(self) -> bool:
        return self.form in ("%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y")


def time_column(path: Path, frame: pl.DataFrame, given: Given) -> TimeColumn:
    """Raises Ambiguous where no column, or no single reading of one, is a time."""
    named = [c for name in NAMES["time"] for c in frame.columns if plain(c) == name]
    found = [column for name in (named or frame.columns) if (column := _as_time(path, frame[name]))]
    if not found:
        text = f"which column is the time? There are {', '.join(frame.columns)}"
        raise Ambiguous(path.name, (Question("import a layout .toml", text),))
    # A time that names its zone, or counts from 1970, leaves less to guess.
    best = max(found, key=lambda column: (column.zoned, not column.dates_only))
    if given.time_format is not None:
        form = given.time_format
        return TimeColumn(best.name, form, form in EPOCHS, "as told")
    return best


def _as_time(path: Path, column: pl.Series) -> TimeColumn | None:
    name = column.name
    if isinstance(column.dtype, pl.Datetime):
        zoned = column.dtype.time_zone is not None
        return TimeColumn(name, ISO, zoned, "the file's own type for times")
    if column.dtype == pl.Date:
        return TimeColumn(name, "%Y-%m-%d", False, "the file's own type for days")
    samples = texts(column)
    if not samples:
        return None
    form = _counted(path, samples) or _written(path, name, samples)
    if form is None:
        return None
    zoned = form in EPOCHS or (form == ISO and all(ZONED.search(text) for text in samples))
    return TimeColumn(name, form, zoned, f"values like {samples[0]}")


def _counted(path: Path, samples: Sequence[str]) -> str | None:
    whole = [re.fullmatch(r"(\d+)(\.\d+)?", text) for text in samples]
    if not all(whole):
        return None
    digits = {len(match.group(1)) for match in whole if match}
    form = _EPOCH_DIGITS.get(min(digits)) if len(digits) == 1 else None
    if form is not None:
        return form
    within_a_day = all(float(text) < DAY / 1000 for text in samples)
    plausible = max(digits) >= 7 and within_a_day and midnight(path, UTC) is not None
    dated = all(re.fullmatch(_PATTERNS[6][0], text) for text in samples)
    return MS_SINCE_MIDNIGHT if plausible and not dated else None


def _written(path: Path, name: str, samples: Sequence[str]) -> str | None:
    for pattern, form in _PATTERNS:
        if all(re.fullmatch(pattern, text) for text in samples):
            return form
    slashed = [_SLASHED.fullmatch(text) for text in samples]
    if not all(slashed):
        return None
    firsts = {int(match.group(1)) for match in slashed if match}
    seconds = {int(match.group(2)) for match in slashed if match}
    if max(firsts) <= 12 and max(seconds) <= 12:
        text = f"is {samples[0]} in column {name} day or month first?"
        raise Ambiguous(path.name, (Question("--time-format '%d/%m/%Y …'", text),))
    dated = "%d/%m/%Y" if max(firsts) > 12 else "%m/%d/%Y"
    match = slashed[0]
    assert match is not None, "all of them match"
    clock = (" %H:%M:%S" if match.group(5) else " %H:%M") if match.group(4) else ""
    form = dated + clock
    return form.replace("/", ".") if "." in samples[0] else form


def zone_of(
    path: Path, column: pl.Series, time: TimeColumn, weights: Floats, calendar: "Hours"
) -> tuple[ZoneInfo, Statement]:
    """The zone of times that name none. Raises Ambiguous where two fit alike, or none does."""
    tried = dict.fromkeys([ZONES.get(calendar.name, "UTC"), "UTC"])
    inside: dict[str, float] = {}
    for name in tried:
        at = moments(column, time.form, ZoneInfo(name), path)
        inside[name] = volume_share_inside(*known(at, weights), calendar.around(at))
    best = max(inside, key=lambda name: inside[name])
    others = [share for name, share in inside.items() if name != best]
    shares = ", ".join(f"{share:.0%} read as {name}" for name, share in inside.items())
    why = f"volume inside of {calendar.name} sessions: {shares}"
    if len(inside) == 1 and best == "UTC":
        raise Ambiguous(path.name, (Question("--timezone ZONE", "in which zone are the times?"),))
    if inside[best] < MOSTLY or any(inside[best] - share < CLEARLY for share in others):
        at, volume = known(moments(column, time.form, UTC, path), weights)
        hint = offset_hint(at, volume, calendar)
        text = f"in which zone are the times? {why}{hint}"
        raise Ambiguous(path.name, (Question("--timezone ZONE", text),))
    return ZoneInfo(best), Statement("time zone", best, why)


def offset_hint(at: Integers, volume: Floats, calendar: "Hours") -> str:
    sessions = [s for s in calendar.around(at) if not s.round_the_clock]
    if not sessions or not len(at):
        return ""
    found = best_offset(day_profile(at, volume, sessions), sessions[0].length)
    return f"; as UTC they look shifted by {hours(-found.move)}" if found.clear else ""


def hours(length: Micros) -> str:
    """A length in hours, signed."""
    return f"{length / HOUR:+g} h"


def stamp_of(
    path: Path, at: Integers, volume: Floats, length: Micros, calendar: "Hours"
) -> tuple[Stamp, Statement]:
    """Which end of its bar a time is. Raises Ambiguous where open and close do not tell."""
    sessions = [s for s in calendar.around(at) if not s.round_the_clock]
    votes = stamp_votes(at, volume, sessions, length)
    verdict = votes.verdict
    if verdict is None:
        text = (
            f"is a time the start or the end of its bar? {votes.start} sessions look like start,"
            f" {votes.end} like end, of {votes.sessions}"
        )
        raise Ambiguous(path.name, (Question("--stamp start|end", text),))
    count = votes.start if verdict == "start" else votes.end
    why = f"in {count} of {votes.sessions} sessions: {votes.example}"
    return Stamp(verdict), Statement("stamp", f"{verdict} of the bar", why)


def bar_length_of(path: Path, at: Integers) -> tuple[Micros, Statement]:
    """The usual step from one row to the next. Raises Ambiguous where none is usual."""
    steps, counts = np.unique(np.diff(np.unique(at)), return_counts=True)
    best = int(counts.argmax()) if len(steps) else -1
    # Days and whole seconds; a usual step is that of half of the rows.
    if best < 0 or counts[best] < 0.5 * counts.sum() or steps[best] % SECOND:
        raise Ambiguous(path.name, (Question("--bar SECONDS", "how long is a bar?"),))
    length = int(steps[best])
    why = f"{counts[best] / counts.sum():.0%} of the steps from row to row"
    return length, Statement("bar length", f"{length // SECOND} s", why)


def known(at: Integers, *columns: Floats) -> tuple[Integers, Floats]:
    """Times that could be read, in order, and their numbers; what is no number counts 0."""
    readable = at != NO_TIME
    order = np.argsort(at[readable], kind="stable")
    (volume,) = (np.nan_to_num(column[readable][order]).clip(min=0) for column in columns)
    return at[readable][order], volume


@dataclass(frozen=True, slots=True)
class Hours:
    """A named calendar's sessions around some times."""

    name: str
    source: Calendar
    kept: Mapping[str, object] | None = None

    def around(self, at: Integers) -> tuple[Session, ...]:
        readable = at[at != NO_TIME]
        if not len(readable):
            return ()
        return self.between(int(readable.min()), int(readable.max()))

    def between(self, first: int, last: int) -> tuple[Session, ...]:
        return days(self.source.sessions(self.name, first - DAY, last + DAY))


def weekend_share(at: Integers) -> float:
    """The share of rows on Saturdays and Sundays, UTC. 1970-01-01 was a Thursday."""
    weekday = (at // DAY + 3) % 7
    return float(np.mean(weekday >= 5)) if len(at) else 0.0
