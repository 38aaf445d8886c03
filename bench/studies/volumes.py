"""Days of bin volumes from the market data at hand, read by the product's own loaders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.calendars import ExchangeCalendars
from app.domain.instant import MINUTE, Micros
from app.domain.session import Session
from app.feeds.replay import Recorded
from app.tapes.reading.lean import LeanRecords
from app.tapes.reading.recording import Records
from app.tapes.reading.table import table_records

LAYOUTS = Path(__file__).parents[2] / "docs" / "layouts"
LEAN, LEAN_TICKS = "lean", "lean-ticks"
QUARTER = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Day:
    session: Session
    volumes: tuple[float, ...]


def records(data: Path, layout: str) -> Records:
    """What a layout of docs/layouts declares, or the minutes or ticks of the Lean tree."""
    calendar = ExchangeCalendars()
    if layout in (LEAN, LEAN_TICKS):
        return LeanRecords(data / "lean", calendar, "minute" if layout == LEAN else "tick")
    return table_records(LAYOUTS / f"{layout}.toml", data, calendar)


def complete_days(kept: Records, symbol: str, bin_length: Micros) -> Sequence[Day]:
    """The sessions of a symbol, in order, without those that lack a whole quarter of an hour."""
    source = Recorded(kept)
    return [
        Day(session, tuple(source.volumes(symbol, session, bin_length)))
        for session in kept.stretches(symbol)
        if min(source.volumes(symbol, session, QUARTER)) > 0
    ]


def by_symbol(
    data: Path, layout: str, symbols: Sequence[str], bin_length: Micros
) -> Mapping[str, Sequence[Day]]:
    kept = records(data, layout)
    return {symbol: complete_days(kept, symbol, bin_length) for symbol in symbols}
