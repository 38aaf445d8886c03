"""What a feed could play again, as backtests want it: sessions, tapes, and the days before."""

from collections.abc import Sequence
from typing import TypeVar

from app.domain.instant import DAY, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.feeds.taped import Known, Source, history

AHEAD = 366 * DAY
"""How far a market without an end is looked at when nobody says how far."""

T = TypeVar("T")


class Remembering:
    """A source that is asked for the volume of the same days again and again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._volumes: dict[tuple[str, Session, Micros], Sequence[float]] = {}
        self._variances: dict[tuple[str, Session], float | None] = {}

    def instrument(self, symbol: str) -> Instrument | None:
        return self._source.instrument(symbol)

    def around(self, symbol: str) -> tuple[Micros, Micros] | None:
        return self._source.around(symbol)

    def stretches(self, symbol: str, now: Instant) -> Sequence[Session]:
        return self._source.stretches(symbol, now)

    def tape(self, symbol: str, stretch: Session) -> Tape:
        return self._source.tape(symbol, stretch)

    def earlier(self, symbol: str, stretch: Session) -> Sequence[Session]:
        return self._source.earlier(symbol, stretch)

    def volumes(self, symbol: str, stretch: Session, bin_length: Micros) -> Sequence[float]:
        key = symbol, stretch, bin_length
        if key not in self._volumes:
            self._volumes[key] = self._source.volumes(symbol, stretch, bin_length)
        return self._volumes[key]

    def variance(self, symbol: str, stretch: Session) -> float | None:
        key = symbol, stretch
        if key not in self._variances:
            self._variances[key] = self._source.variance(symbol, stretch)
        return self._variances[key]


class PastMarket:
    """A taped source, from `starts_at` on."""

    def __init__(self, source: Source, symbols: Sequence[str], starts_at: Instant) -> None:
        self._source, self._symbols, self._starts_at = Remembering(source), symbols, starts_at

    def symbols(self) -> Sequence[str]:
        return [s for s in self._symbols if self.instrument(s) is not None]

    def instrument(self, symbol: str) -> Instrument | None:
        return self._source.instrument(symbol)

    def sessions(self, symbol: str, span: tuple[Instant, Instant] | None) -> Sequence[Session]:
        start, end = span or (self._starts_at, self._starts_at + AHEAD)
        found: list[Session] = []
        while not found or found[-1].closes_at < end:
            more = self._source.stretches(symbol, found[-1].closes_at if found else start)
            if not more:
                break
            found += more
        return [session for session in found if session.opens_at < end]

    def tape(self, symbol: str, session: Session) -> Tape:
        return self._source.tape(symbol, session)

    def past(self, symbol: str, session: Session) -> Known:
        instrument = self._source.instrument(symbol)
        return history(self._source, instrument, session) if instrument else Known()
