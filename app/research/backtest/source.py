"""Where a backtest's market comes from: the tape store, or whatever a feed can play again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Protocol

from app.domain.instant import MINUTE, Instant
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.volume import VolumeCurve
from app.tapes.detect_time import day_name
from app.tapes.errors import TapeError
from app.tapes.manifest import Kind
from app.tapes.statistics import mean_daily_volume, trailing_curve, volatility
from app.tapes.store import Stored, TapeStore

BIN = 5 * MINUTE


class NoTape(ValueError):
    """There is no such tape; the message says what there is."""


class Past(Protocol):
    """What a day could know from the days before it; None where there are too few of them."""

    @property
    def curve(self) -> VolumeCurve | None: ...

    @property
    def daily_volume(self) -> Decimal | None: ...

    @property
    def volatility(self) -> float | None: ...


class Trailing:
    """The past as the tape store tells it: each figure is made when it is asked for."""

    def __init__(self, stored: Stored, day: str) -> None:
        self._stored, self._day = stored, day

    @cached_property
    def curve(self) -> VolumeCurve | None:
        length = self._stored.dataset.bar_length
        fits = length is None or BIN % length == 0
        return trailing_curve(self._stored, self._day, bin_length=BIN if fits else 6 * BIN)

    @cached_property
    def daily_volume(self) -> Decimal | None:
        return mean_daily_volume(self._stored, self._day)

    @cached_property
    def volatility(self) -> float | None:
        found = volatility(self._stored, self._day)
        return found.daily if found else None


class Source(Protocol):
    """Recorded markets. Every method raises ports.FeedError or NoTape for what it cannot read."""

    def symbols(self) -> Sequence[str]: ...

    def instrument(self, symbol: str) -> Instrument | None:
        """None for a symbol that it does not have."""
        ...

    def sessions(self, symbol: str, span: tuple[Instant, Instant] | None) -> Sequence[Session]:
        """The sessions that overlap a span, in order; None: all."""
        ...

    def tape(self, symbol: str, session: Session) -> Tape: ...

    def past(self, symbol: str, session: Session) -> Past:
        """From earlier sessions only."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Which source to open: a dataset of the tape store, or what a feed plays. It travels to
    other processes, which open it for themselves."""

    tapes: Path
    dataset: str | None = None
    feed: str | None = None
    path: Path | None = None
    root: Path | None = None
    seed: int = 1
    starts_at: Instant | None = None


Opener = Callable[[Place], Source]
"""Handed in by whoever knows feeds; a function of a module, so that it can be sent."""


class StoredSource:
    """A dataset of the tape store."""

    def __init__(self, store: TapeStore, dataset: str) -> None:
        self._store, self._dataset = store, dataset
        self._opened: dict[str, Stored] = {}
        found = next((d for d in store.datasets() if d.name == dataset), None)
        if found is None:
            known = ", ".join(d.name for d in store.datasets()) or "none"
            raise NoTape(f"no dataset {dataset!r}; there are: {known}")
        if found.kind is Kind.DAILY:
            raise NoTape(f"{dataset} has daily bars: no tape inside of a day")

    def symbols(self) -> Sequence[str]:
        return self._store.symbols(self._dataset)

    def instrument(self, symbol: str) -> Instrument | None:
        return self._of(symbol).instrument if symbol in self.symbols() else None

    def sessions(self, symbol: str, span: tuple[Instant, Instant] | None) -> Sequence[Session]:
        every = self._of(symbol).sessions
        if span is None:
            return every
        return [s for s in every if s.closes_at > span[0] and s.opens_at < span[1]]

    def tape(self, symbol: str, session: Session) -> Tape:
        stored = self._of(symbol)
        return stored.session_tape(stored.entries[stored.sessions.index(session)])

    def past(self, symbol: str, session: Session) -> Past:
        return Trailing(self._of(symbol), day_name(session))

    def _of(self, symbol: str) -> Stored:
        if symbol not in self._opened:
            try:
                self._opened[symbol] = self._store.open(self._dataset, symbol)
            except TapeError as wrong:
                raise NoTape(str(wrong)) from None
        return self._opened[symbol]
