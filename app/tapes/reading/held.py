"""Records that are held in memory whole, and cut into sessions where a calendar says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.domain.instant import DAY, Instant
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Prints, Tape
from app.domain.tape_search import after
from app.ports import Calendar
from app.tapes.reading.recording import Recording
from app.tapes.reading.stretches import days

NEIGHBOURS = 14 * DAY
"""How far beside the data to look for the sessions before and after it."""


@dataclass(frozen=True, slots=True)
class Held:
    """One symbol. `parts` has every stretch with data, and the span of the rows around it."""

    instrument: Instrument
    recording: Recording
    parts: Mapping[Session, tuple[Instant, Instant]]


class HeldRecords:
    """Implements `recording.Records`; a symbol is loaded when it is first asked for."""

    def __init__(self, symbols: Iterable[str], load: Callable[[str], Held]) -> None:
        self._symbols = tuple(sorted(symbols))
        self._load = load
        self._held: dict[str, Held] = {}

    def symbols(self) -> Sequence[str]:
        return self._symbols

    def instrument(self, symbol: str) -> Instrument | None:
        return self._of(symbol).instrument if symbol in self._symbols else None

    def stretches(self, symbol: str) -> Sequence[Session]:
        return tuple(self._of(symbol).parts)

    def begins(self, symbol: str) -> Instant | None:
        """The first moment of the first stretch at which there is a row."""
        held = self._of(symbol)
        first = next(iter(held.parts), None)
        if first is None:
            return None
        rows = (held.recording.book.at, held.recording.prints.at)
        starts = [int(at[i]) for at in rows if (i := after(at, first.opens_at - 1)) < len(at)]
        return min(starts)

    def tape(self, symbol: str, stretch: Session) -> Tape:
        held = self._of(symbol)
        return held.recording.tape(symbol, stretch, *held.parts[stretch])

    def traded(self, symbol: str, stretch: Session) -> tuple[Prints, int]:
        recording = self._of(symbol).recording
        return recording.prints, recording.size_scale

    def whole(self, symbol: str) -> tuple[Instrument, Recording]:
        """All there is of a symbol, uncut."""
        held = self._of(symbol)
        return held.instrument, held.recording

    def _of(self, symbol: str) -> Held:
        if symbol not in self._held:
            self._held[symbol] = self._load(symbol)
        return self._held[symbol]


def parts_of(
    recording: Recording, calendar: Calendar, name: str
) -> Mapping[Session, tuple[Instant, Instant]]:
    """The calendar's stretches that have rows, with all that happened nearest to each.

    Rows outside of sessions (extended hours) go with the session they are nearest to.
    """
    ends = [
        int(at[i]) for at in (recording.book.at, recording.prints.at) if len(at) for i in (0, -1)
    ]
    if not ends:
        return {}
    stretches = days(calendar.sessions(name, min(ends) - NEIGHBOURS, max(ends) + NEIGHBOURS))
    middles = [(a.closes_at + b.opens_at) // 2 for a, b in pairwise(stretches)]
    starts = [min(ends), *middles]
    stops = [*middles, max(ends) + 1]
    return {
        stretch: (start, stop)
        for stretch, start, stop in zip(stretches, starts, stops, strict=True)
        if _speaks(recording, stretch)
    }


def _speaks(recording: Recording, stretch: Session) -> bool:
    return any(
        after(at, stretch.closes_at - 1) > after(at, stretch.opens_at - 1)
        for at in (recording.book.at, recording.prints.at)
    )
