"""The columns of a session in one file, and the sessions of a symbol in another.

A session's file is one array of whole numbers, mapped into memory when it is asked for: its
parts lie one after the other, and the index says how long each is. Nothing is parsed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from app.domain.instant import Instant
from app.domain.session import Session
from app.domain.tape_search import Integers
from app.tapes.errors import TapeError

INDEX = "sessions.npy"

QUOTE, TRADE, BAR, QUOTE_BAR = 7, 3, 6, 11
"""Columns of each table; beside the trades stand two running sums of one entry more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One session in the index. Prices and volumes are in the symbol's units.

    `since` and `until` say from when to when the tape is known; `quotes`, `trades`, `beside`
    (off-market prints: volume that no order met), `bars` and `quote_bars` count rows.
    """

    opens_at: Instant
    closes_at: Instant
    since: Instant
    until: Instant
    quotes: int
    trades: int
    beside: int
    bars: int
    quote_bars: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    outside: int

    @property
    def session(self) -> Session:
        return Session(self.opens_at, self.closes_at)

    @property
    def length(self) -> int:
        """How many whole numbers the session's file has."""
        sums = 2 * (self.trades + 1) if self.trades else 0
        ticks = QUOTE * self.quotes + TRADE * (self.trades + self.beside) + sums
        return ticks + BAR * self.bars + QUOTE_BAR * self.quote_bars


NAMES = tuple(field.name for field in fields(Entry))


def write_index(folder: Path, entries: Sequence[Entry]) -> None:
    rows = [[getattr(entry, name) for name in NAMES] for entry in entries]
    np.save(folder / INDEX, np.array(rows, dtype=np.int64).reshape(len(rows), len(NAMES)))


def read_index(folder: Path) -> tuple[Entry, ...]:
    rows = _load(folder / INDEX)
    if rows.ndim != 2 or rows.shape[1] != len(NAMES):
        raise TapeError(f"{folder / INDEX}: not an index of sessions")
    return tuple(Entry(*row) for row in rows.tolist())


def session_file(opens_at: Instant) -> str:
    """Named by the open: a lunch break makes two sessions of a day."""
    moment = np.datetime64(opens_at, "us").astype("datetime64[s]").item()
    return f"{moment:%Y%m%dT%H%M%SZ}.npy"


def write_session(folder: Path, opens_at: Instant, columns: Sequence[Integers]) -> None:
    flat = np.concatenate(columns) if columns else np.empty(0, dtype=np.int64)
    np.save(folder / session_file(opens_at), flat.astype(np.int64, copy=False))


class Reader:
    """Hands out the columns of a mapped session in the order in which they were written."""

    def __init__(self, folder: Path, entry: Entry) -> None:
        path = folder / session_file(entry.opens_at)
        self._flat = _load(path, mapped=entry.length > 0)
        if self._flat.shape != (entry.length,):
            raise TapeError(
                f"{path}: {self._flat.size} numbers where the index says {entry.length}"
            )
        self._next = 0

    def take(self, count: int, length: int) -> list[Integers]:
        """`count` columns of `length` each."""
        begin, self._next = self._next, self._next + count * length
        block = self._flat[begin : self._next]
        return [block[i * length : (i + 1) * length] for i in range(count)]


def _load(path: Path, *, mapped: bool = False) -> Integers:
    try:
        loaded = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as broken:
        raise TapeError(f"{path}: cannot be read: {broken}") from broken
    if loaded.dtype != np.int64:
        raise TapeError(f"{path}: {loaded.dtype} where int64 is expected")
    # A plain array over the mapped memory: slices of numpy's own memmap cost more.
    return np.asarray(loaded)
