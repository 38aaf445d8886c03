"""A dataset of the store as records that the replay feed plays."""

from collections.abc import Sequence
from pathlib import Path

from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Prints, Tape
from app.domain.tape_search import after
from app.tapes.columns import Entry
from app.tapes.errors import TapeError
from app.tapes.manifest import DATASET, Kind, read_dataset
from app.tapes.store import Stored, open_symbol, symbols_in


def is_dataset(path: Path) -> bool:
    return (path / DATASET).is_file()


class StoredRecords:
    """Implements `reading.recording.Records`. Raises TapeError for a dataset of daily bars."""

    def __init__(self, folder: Path) -> None:
        if read_dataset(folder).kind is Kind.DAILY:
            raise TapeError(f"{folder}: daily bars cannot be played")
        self._folder = folder
        self._opened: dict[str, Stored] = {}

    def symbols(self) -> Sequence[str]:
        return symbols_in(self._folder)

    def instrument(self, symbol: str) -> Instrument | None:
        return self._of(symbol).instrument if symbol in self.symbols() else None

    def stretches(self, symbol: str) -> Sequence[Session]:
        return self._of(symbol).sessions

    def begins(self, symbol: str) -> Instant | None:
        stored = self._of(symbol)
        if not stored.entries:
            return None
        first = stored.entries[0]
        tape = stored.session_tape(first)
        rows = (tape.quote_at, tape.trade_at)
        starts = [int(at[i]) for at in rows if (i := after(at, first.opens_at - 1)) < len(at)]
        return min(starts, default=first.opens_at)

    def tape(self, symbol: str, stretch: Session) -> Tape:
        return self._of(symbol).session_tape(self._entry(symbol, stretch))

    def traded(self, symbol: str, stretch: Session) -> tuple[Prints, int]:
        stored = self._of(symbol)
        return stored.traded(self._entry(symbol, stretch)), stored.manifest.size_scale

    def _entry(self, symbol: str, stretch: Session) -> Entry:
        stored = self._of(symbol)
        return stored.entries[stored.sessions.index(stretch)]

    def _of(self, symbol: str) -> Stored:
        if symbol not in self._opened:
            self._opened[symbol] = open_symbol(self._folder, symbol)
        return self._opened[symbol]
