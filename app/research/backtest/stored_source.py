"""The tape store as the market of a backtest."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property

from app.domain.instant import MINUTE, Instant
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.volume import VolumeCurve
from app.research.backtest.source import NoTape, Past
from app.tapes.day import day_name
from app.tapes.errors import TapeError
from app.tapes.manifest import Kind
from app.tapes.statistics import mean_daily_volume, trailing_curve, volatility
from app.tapes.store import Stored, TapeStore

BIN = 5 * MINUTE


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
