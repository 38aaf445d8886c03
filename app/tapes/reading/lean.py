"""QuantConnect's Lean format: one zip for each symbol, day and kind, under `equity/usa`.

Ticks are preferred; a symbol without a day of both trade and quote ticks is played from minutes.
One symbol is always played from one resolution: they do not sum to the same volume.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from app.domain.instant import DAY, MINUTE, SECOND, Instant, from_datetime, to_datetime
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Prints, Tape
from app.ports import Calendar, FeedError
from app.tapes.reading.lean_files import (
    SIZE_SCALE,
    read_bars,
    read_prints,
    read_ticks,
    read_trade_bars,
)

CALENDAR = "XNYS"
ZONE = ZoneInfo("America/New_York")
CENT = Decimal("0.01")
SHARE = Decimal(1)
TICKS = "tick"
BAR_LENGTHS = {"second": SECOND, "minute": MINUTE}
PREFERRED = (TICKS, "minute")


@dataclass(frozen=True, slots=True)
class _Listing:
    """The days of one symbol at the resolution it is played from."""

    resolution: str
    days: tuple[date, ...]


class LeanRecords:
    """Implements `recording.Records` over a directory that holds `equity/usa`.

    `resolution` (tick, second or minute) overrules the choice.
    """

    def __init__(self, root: Path, calendar: Calendar, resolution: str | None = None) -> None:
        self._root = root / "equity" / "usa"
        if not self._root.is_dir():
            raise FeedError(f"{self._root}: no such directory")
        if resolution not in (None, TICKS, *BAR_LENGTHS):
            raise FeedError(f"resolution must be tick, second or minute, not {resolution!r}")
        self._calendar = calendar
        self._resolutions = (resolution,) if resolution else PREFERRED
        self._listings: dict[str, _Listing | None] = {}
        self._stretches: dict[str, tuple[Session, ...]] = {}

    def symbols(self) -> Sequence[str]:
        folders = [self._root / resolution for resolution in self._resolutions]
        found = {entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()}
        return sorted(name.upper() for name in found)

    def instrument(self, symbol: str) -> Instrument | None:
        # Asked by name of the directory listing, so that no symbol can be a path to elsewhere.
        if symbol not in self.symbols() or self._listing(symbol) is None:
            return None
        return Instrument(symbol, CENT, SHARE, SHARE, CALENDAR)

    def stretches(self, symbol: str) -> Sequence[Session]:
        if symbol not in self._stretches:
            self._stretches[symbol] = self._sessions(symbol)
        return self._stretches[symbol]

    def begins(self, symbol: str) -> Instant | None:
        return next((stretch.opens_at for stretch in self.stretches(symbol)), None)

    def tape(self, symbol: str, stretch: Session) -> Tape:
        listing, day = self._known(symbol), _day(stretch)
        trades, quotes = self._file(symbol, day, "trade"), self._file(symbol, day, "quote")
        if listing.resolution == TICKS:
            recording = read_ticks(trades, quotes, _midnight(day))
        else:
            length = BAR_LENGTHS[listing.resolution]
            sided = quotes if quotes.exists() else None
            recording = read_bars(trades, sided, _midnight(day), length)
        return recording.tape(symbol, stretch, _midnight(day), _midnight(day) + 2 * DAY)

    def traded(self, symbol: str, stretch: Session) -> tuple[Prints, int]:
        listing, day = self._known(symbol), _day(stretch)
        trades = self._file(symbol, day, "trade")
        if listing.resolution == TICKS:
            return read_prints(trades, _midnight(day))[0], SIZE_SCALE
        bars = read_trade_bars(trades, _midnight(day), BAR_LENGTHS[listing.resolution])
        return Prints(bars.at, bars.prices.close, bars.volume), SIZE_SCALE

    def _known(self, symbol: str) -> _Listing:
        listing = self._listing(symbol)
        assert listing is not None, "only known symbols are read"
        return listing

    def _listing(self, symbol: str) -> _Listing | None:
        if symbol not in self._listings:
            found = (self._listed(symbol, resolution) for resolution in self._resolutions)
            self._listings[symbol] = next((listing for listing in found if listing.days), None)
        return self._listings[symbol]

    def _listed(self, symbol: str, resolution: str) -> _Listing:
        folder = self._root / resolution / symbol.lower()
        days = {path.name[:8] for path in folder.glob("*_trade.zip")}
        if resolution == TICKS:
            days &= {path.name[:8] for path in folder.glob("*_quote.zip")}
        try:
            dates = sorted(date.fromisoformat(day) for day in days)
        except ValueError as misnamed:
            raise FeedError(
                f"{folder}: a file is not named after its day: {misnamed}"
            ) from misnamed
        return _Listing(resolution, tuple(dates))

    def _sessions(self, symbol: str) -> tuple[Session, ...]:
        days = set(self._known(symbol).days)
        start, end = _midnight(min(days)), _midnight(max(days)) + DAY
        sessions = self._calendar.sessions(CALENDAR, start, end)
        return tuple(session for session in sessions if _day(session) in days)

    def _file(self, symbol: str, day: date, kind: str) -> Path:
        folder = self._root / self._known(symbol).resolution / symbol.lower()
        return folder / f"{day:%Y%m%d}_{kind}.zip"


def _day(session: Session) -> date:
    return to_datetime(session.opens_at).astimezone(ZONE).date()


def _midnight(day: date) -> Instant:
    return from_datetime(datetime.combine(day, time(), tzinfo=ZONE))
