"""A Lean tree as a source: its layout is the format's own, nothing is guessed."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.instant import DAY, MINUTE, SECOND
from app.ports import Calendar, FeedError
from app.tapes.clean import Fault
from app.tapes.detect_time import Hours
from app.tapes.errors import Ambiguous, Question, TapeError
from app.tapes.manifest import Kind
from app.tapes.material import Material, Read, Source, bars_piece
from app.tapes.moments import midnight
from app.tapes.pieces import BarsPiece, Scales, TicksPiece
from app.tapes.reading.bars import Prices, QuoteBars, around
from app.tapes.reading.layout import Layout, TableKind
from app.tapes.reading.lean import CALENDAR, CENT, SHARE, ZONE
from app.tapes.reading.lean_files import (
    PRICE_SCALE,
    SIZE_SCALE,
    TICK,
    read_prints,
    read_quote_bars,
    read_ticks,
)
from app.tapes.reading.recording import NOTHING, Recording
from app.tapes.stated import Given, Statement

LENGTHS = {"second": SECOND, "minute": MINUTE, "daily": DAY}
RESOLUTIONS = ("tick", *LENGTHS)
SCALES = Scales(PRICE_SCALE, SIZE_SCALE, TICK, 1)
VENDOR = "QuantConnect"

_BARS = {"time": 1, "open": 2, "high": 3, "low": 4, "close": 5, "volume": 6}


def is_lean(path: Path) -> bool:
    return (path / "equity" / "usa").is_dir()


def lean_source(
    root: Path, resolution: str | None, given: Given, calendar: Calendar, wanted: Sequence[str]
) -> Source:
    """Raises Ambiguous where the tree has several resolutions and none is chosen."""
    base = root / "equity" / "usa"
    there = [name for name in RESOLUTIONS if (base / name).is_dir()]
    if resolution is None:
        if len(there) != 1:
            text = f"the tree has {', '.join(there)}, which do not sum to the same volume"
            raise Ambiguous(str(root), (Question("--resolution NAME", text),))
        resolution = there[0]
    if resolution not in there:
        raise TapeError(f"{base}: no {resolution}; there are {', '.join(there)}")
    hours = Hours(given.calendar or CALENDAR, calendar)
    named = sorted(
        path.stem if path.is_file() else path.name for path in (base / resolution).iterdir()
    )
    symbols = [name.upper() for name in named if not wanted or name.upper() in wanted]
    build = {"tick": _ticks, "daily": _daily}.get(resolution, _bars)
    materials = tuple(build(base, resolution, symbol, hours) for symbol in symbols)
    kind = {"tick": Kind.TICKS, "daily": Kind.DAILY}.get(resolution, Kind.BARS)
    return Source(
        name=f"lean-{resolution}",
        vendor=VENDOR,
        kind=kind,
        calendar=hours.name,
        bar_length=LENGTHS.get(resolution),
        materials=materials,
        statements=_statements(resolution),
    )


def _statements(resolution: str) -> tuple[Statement, ...]:
    why = "Lean's format: what its files declare"
    of_day = "milliseconds since midnight of the file's day"
    said = [
        Statement("format", f"Lean, {resolution}: zipped text without a header", why),
        Statement("prices", f"/ {PRICE_SCALE}", why),
        Statement("time zone", ZONE.key, "dates" if resolution == "daily" else of_day),
        Statement("calendar", CALENDAR, "equity/usa"),
        Statement("tick, lot", "0.01, 1", why),
    ]
    if resolution in ("second", "minute"):
        said.append(Statement("stamp", "start of the bar", why))
    if resolution == "tick":
        said.append(Statement("quotes", "one-sided updates, the other side carried forward", why))
    return tuple(said)


def _files(base: Path, resolution: str, symbol: str, kind: str) -> list[Path]:
    return sorted((base / resolution / symbol.lower()).glob(f"*_{kind}.zip"))


def _material(
    base: Path,
    symbol: str,
    files: Sequence[Path],
    quotes: str,
    read: Callable[[], Iterator[Read]],
) -> Material:
    return Material(
        symbol=symbol,
        files=tuple(files),
        scales=SCALES,
        tick=CENT,
        lot=SHARE,
        currency="USD",
        quotes=quotes,
        read=read,
        adjusted="raw",
        splits=_splits(base / "factor_files" / f"{symbol.lower()}.csv"),
    )


def _bars(base: Path, resolution: str, symbol: str, hours: Hours) -> Material:
    trades = _files(base, resolution, symbol, "trade")
    quotes = _files(base, resolution, symbol, "quote")
    length = LENGTHS[resolution]
    layout = Layout(
        TableKind.BARS, _BARS, {}, header=False, timezone=ZONE, time_format="ms_since_midnight",
        bar_length=length, price_scale=PRICE_SCALE,
    )  # fmt: skip

    def read() -> Iterator[Read]:
        piece, faults = bars_piece(layout, trades, SCALES, hours)
        assert isinstance(piece, BarsPiece), "bars make bars"
        sided, lost, more = _quote_bars(quotes, length)
        yield BarsPiece(piece.bars, sided, {"one_sided": lost}), [*faults, *more]

    told = "recorded" if quotes else "assumed"
    return _material(base, symbol, [*trades, *quotes], told, read)


def _quote_bars(
    files: Sequence[Path], length: int
) -> tuple[QuoteBars | None, "np.ndarray[tuple[int], np.dtype[np.int64]]", list[Fault]]:
    days, lost, faults = [], [NOTHING], []
    for path in files:
        try:
            day, one_sided = read_quote_bars(path, _midnight(path), length)
            days.append(day)
            lost.append(one_sided)
        except FeedError as wrong:
            faults.append(_refused(path, wrong))
    if not days:
        return None, NOTHING, faults
    join = np.concatenate

    def side(name: str) -> Prices:
        sides = [getattr(day, name) for day in days]
        return Prices(*(join([getattr(s, p) for s in sides]) for p in Prices.__dataclass_fields__))

    joined = QuoteBars(
        join([day.at for day in days]),
        length,
        side("bid"),
        side("ask"),
        join([day.bid_size for day in days]),
        join([day.ask_size for day in days]),
    )
    return joined, join(lost), faults


def _ticks(base: Path, resolution: str, symbol: str, hours: Hours) -> Material:
    trades = _files(base, resolution, symbol, "trade")
    quotes = {path.name[:8]: path for path in _files(base, resolution, symbol, "quote")}

    def read() -> Iterator[Read]:
        for path in trades:
            sided = quotes.get(path.name[:8])
            try:
                if sided is not None:
                    recording = read_ticks(path, sided, _midnight(path))
                else:
                    prints, odd = read_prints(path, _midnight(path))
                    book = around(prints.at, prints.price, prints.size, TICK)
                    lost = {"suspicious": odd}
                    recording = Recording(PRICE_SCALE, SIZE_SCALE, book, prints, lost, trusted=True)
                yield TicksPiece(recording), ()
            except FeedError as wrong:
                yield TicksPiece(Recording(PRICE_SCALE, SIZE_SCALE)), (_refused(path, wrong),)

    told = "recorded" if quotes else "assumed"
    return _material(base, symbol, [*trades, *quotes.values()], told, read)


def _daily(base: Path, resolution: str, symbol: str, hours: Hours) -> Material:
    file = base / resolution / f"{symbol.lower()}.zip"
    layout = Layout(
        TableKind.BARS, _BARS, {}, header=False, timezone=ZoneInfo("UTC"),
        time_format="%Y%m%d %H:%M", bar_length=DAY, price_scale=PRICE_SCALE,
    )  # fmt: skip

    def read() -> Iterator[Read]:
        yield bars_piece(layout, [file], SCALES, hours)

    return _material(base, symbol, [file], "none", read)


def _refused(path: Path, wrong: FeedError) -> Fault:
    return Fault("file_refused", np.array([_midnight(path) + DAY // 2]), str(wrong))


def _midnight(path: Path) -> int:
    found = midnight(path, ZONE)
    if found is None:
        raise TapeError(f"{path}: not named after its day")
    return found


def _splits(path: Path) -> Mapping[str, float]:
    """New shares for an old one, by the day after the last one at the old price."""
    if not path.is_file():
        return {}
    rows = [line.split(",") for line in path.read_text().split() if re.match(r"\d{8},", line)]
    found: dict[str, float] = {}
    for row, following in pairwise(rows):
        before, after = Decimal(row[2]), Decimal(following[2])
        ratio = float(after / before)
        if abs(ratio - 1) > 0.05:
            first = date.fromisoformat(row[0]) + timedelta(days=1)
            found[first.isoformat()] = float(round(ratio)) if ratio > 1.6 else round(ratio, 4)
    return found
