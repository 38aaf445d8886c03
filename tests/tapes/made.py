"""Made-up markets of known faults: bars of whole sessions, written the way vendors write them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY, MINUTE, Instant, from_datetime, to_datetime
from app.domain.session import Session
from app.tapes.detect_time import Hours
from app.tapes.importing import Outcome, Wish, import_symbol
from app.tapes.sources import open_source
from app.tapes.stated import Given
from app.tapes.store import Stored, TapeStore

CALENDAR = ExchangeCalendars()
NEW_YORK = ZoneInfo("America/New_York")
MARCH = ("2024-03-04", "2024-03-08")
"""Five sessions before the clocks change."""


@dataclass(frozen=True)
class Bar:
    """A bar by its start."""

    at: Instant
    open: float
    high: float
    low: float
    close: float
    volume: int


@cache
def sessions(first: str, last: str) -> tuple[Session, ...]:
    start, end = (from_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC)) for day in
                  (first, last))  # fmt: skip
    return CALENDAR.sessions("XNYS", start, end + DAY)


def bars(
    first: str = MARCH[0], last: str = MARCH[1], *, seed: int = 1, extended: bool = False
) -> list[Bar]:
    """Minutes of a random walk; volume is a U, larger at the open and the close."""
    rng = np.random.default_rng(seed)
    made: list[Bar] = []
    price = 5_000
    for session in sessions(first, last):
        begin, end = session.opens_at, session.closes_at
        if extended:
            begin, end = begin - 90 * MINUTE, end + 60 * MINUTE
        for at in range(begin, end, MINUTE):
            opens = price
            path = opens + np.cumsum(rng.integers(-2, 3, 3))
            price = int(path[-1])
            everything = [opens, *path.tolist()]
            volume = int(_usual(session, at) * rng.uniform(0.7, 1.3))
            low, high = min(everything), max(everything)
            made.append(Bar(at, opens / 100, high / 100, low / 100, price / 100, volume))
    return made


def _usual(session: Session, at: Instant) -> float:
    if not session.contains(at):
        return 60
    edge = min(at - session.opens_at, session.closes_at - MINUTE - at) // MINUTE
    return 1_000 + (9_000 if edge == 0 else 4_000 / (1 + edge / 5))


@dataclass(frozen=True)
class Style:
    """How a file of bars is written."""

    separator: str = ","
    header: Sequence[str] | None = ("time", "open", "high", "low", "close", "volume")
    order: Sequence[str] = ("time", "open", "high", "low", "close", "volume")
    zone: ZoneInfo | None = field(default_factory=lambda: ZoneInfo("UTC"))
    form: str = "%Y-%m-%dT%H:%M:%SZ"
    stamp: str = "start"
    newest_first: bool = False

    def time(self, at: Instant) -> str:
        at += MINUTE if self.stamp == "end" else 0
        if self.form == "epoch_ms":
            return str(at // 1_000)
        if self.form == "epoch_s":
            return str(at // 1_000_000)
        return to_datetime(at).astimezone(self.zone).strftime(self.form)

    def cells(self, bar: Bar) -> list[str]:
        cells = {"time": self.time(bar.at), "volume": str(bar.volume)}
        for name in ("open", "high", "low", "close"):
            cells[name] = f"{getattr(bar, name):.2f}"
        return [cells[name] for name in self.order]


PLAIN = Style()


def write(path: Path, rows: Sequence[Bar], style: Style = PLAIN) -> Path:
    lines = [style.separator.join(style.cells(bar)) for bar in rows]
    if style.newest_first:
        lines.reverse()
    if style.header is not None:
        lines.insert(0, style.separator.join(style.header))
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, rows: Sequence[Bar]) -> Path:
    frame = pl.DataFrame(
        {
            "ts": [to_datetime(bar.at) for bar in rows],
            **{n: [getattr(b, n) for b in rows] for n in ("open", "high", "low", "close")},
            "volume": [bar.volume for bar in rows],
        }
    )
    frame.write_parquet(path)
    return path


def planted(rows: Sequence[Bar], index: int, change: Callable[[Bar], Bar | list[Bar]]) -> list[Bar]:
    """The bars with one of them changed, doubled or taken out."""
    changed = change(rows[index])
    return [
        *rows[:index],
        *([changed] if isinstance(changed, Bar) else changed),
        *rows[index + 1 :],
    ]


def imported(root: Path, *paths: Path, wish: Wish | None = None, **given: object) -> Outcome:
    """The outcome for the only symbol of some files."""
    told = Given(**given)  # type: ignore[arg-type]
    source = open_source(paths, told, CALENDAR)
    wish = wish or Wish(source.name, source.vendor)
    (material,) = source.materials
    hours = Hours(source.calendar, CALENDAR)
    return import_symbol(root, source, material, wish, hours, lambda symbol, session: None)


def stored(root: Path, rows: Sequence[Bar], name: str = "XYZ", **given: object) -> Stored:
    """Bars in a store of their own."""
    root.mkdir(exist_ok=True)
    path = write(root / f"{name}.csv", rows)
    outcome = imported(root / "store", path, wish=Wish("made", "made", anyway=True), **given)
    assert outcome.result == "imported", outcome
    return TapeStore(root / "store").open("made", name)


def split(rows: Sequence[Bar], first: Session, ratio: int) -> list[Bar]:
    """Raw prices and volumes with a split before the session `first`."""

    def after(bar: Bar) -> Bar:
        if bar.at < first.opens_at:
            return bar
        prices = {n: round(getattr(bar, n) / ratio, 2) for n in ("open", "high", "low", "close")}
        return replace(bar, **prices, volume=bar.volume * ratio)

    return [after(bar) for bar in rows]
