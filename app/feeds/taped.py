"""What every stepped feed shares: market data known ahead, brought in one stretch at a time.

A stretch is a session, or a UTC day of a market that never closes: the piece that a source makes
or reads at once.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Protocol

from app.domain.instant import DAY, HOUR, MINUTE, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.quantity import floor_to
from app.domain.session import Session, join_adjacent
from app.domain.tape import Tape
from app.domain.volume import VolumeCurve, curve_from_history
from app.ports import Watched

KEPT_STRETCHES = 3
"""How many stretches stay in memory, per symbol."""

HISTORY_STRETCHES = 20
BIN = 15 * MINUTE
PERIODIC_BIN = HOUR


class Source(Protocol):
    """Where a taped feed gets its data; called in a thread, one call at a time."""

    def instrument(self, symbol: str) -> Instrument | None:
        """None for a symbol the source does not know."""
        ...

    def stretches(self, symbol: str, now: Instant) -> Sequence[Session]:
        """The stretches that end after `now`, in order; as far ahead as orders may be planned."""
        ...

    def tape(self, symbol: str, stretch: Session) -> Tape:
        """All that happened in and around a stretch. Raises FeedError."""
        ...

    def earlier(self, symbol: str, stretch: Session) -> Sequence[Session]:
        """The stretches before `stretch` whose volume is known, in order."""
        ...

    def volumes(self, symbol: str, stretch: Session, bin_length: Micros) -> Sequence[float]:
        """What each bin of a stretch traded; the last bin may be a short one. Raises FeedError."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """What is in memory of one symbol: `loaded` has each stretch with its first known moment.

    From `renew_at` on more is needed.
    """

    tape: Tape
    loaded: tuple[tuple[Session, Instant], ...]
    renew_at: Instant


class TapedFeed:
    """Implements `ports.Feed` over a source.

    After `watch` and `advance` at `now`, a tape covers the stretch of `now`, or the next one when
    the market is closed, and the one after it where that follows without a pause. A symbol with
    nothing left to trade is as unknown as one never heard of.
    """

    own_volume_included = False

    def __init__(self, name: str, source: Source, starts_at: Instant) -> None:
        self.name = name
        self.starts_at: Instant | None = starts_at
        self._source = source
        self._held: dict[str, _Held] = {}
        self._reading = asyncio.Lock()

    async def watch(self, symbol: str, now: Instant) -> Watched | None:
        async with self._reading:
            return await self._watch(symbol, now)

    def tape(self, symbol: str) -> Tape:
        return self._held[symbol].tape

    async def advance(self, now: Instant) -> None:
        # Called at every step of the clock: what needs nothing must cost nothing.
        if all(now < held.renew_at for held in self._held.values()):
            return
        async with self._reading:
            for symbol in [s for s, held in self._held.items() if now >= held.renew_at]:
                ahead = await asyncio.to_thread(self._source.stretches, symbol, now)
                if ahead:
                    await self._cover(symbol, ahead)

    def updated(self) -> Sequence[str]:
        return ()

    async def _watch(self, symbol: str, now: Instant) -> Watched | None:
        instrument = self._source.instrument(symbol)
        if instrument is None:
            return None
        ahead = await asyncio.to_thread(self._source.stretches, symbol, now)
        if not ahead:
            return None
        await self._cover(symbol, ahead)
        curve, volume = await asyncio.to_thread(_history, self._source, instrument, ahead[0])
        return Watched(instrument, join_adjacent(ahead), curve, volume)

    async def _cover(self, symbol: str, ahead: Sequence[Session]) -> None:
        held = await asyncio.to_thread(
            _covering, self._source, symbol, self._held.get(symbol), ahead
        )
        self._held[symbol] = held


def days(sessions: Iterable[Session]) -> tuple[Session, ...]:
    """Sessions as stretches: those of a market that never closes are cut at UTC midnights."""
    stretches: list[Session] = []
    for session in sessions:
        midnight = (session.opens_at // DAY + 1) * DAY
        inner = range(midnight, session.closes_at, DAY) if session.round_the_clock else ()
        cuts = [session.opens_at, *inner, session.closes_at]
        stretches.extend(Session(a, b) for a, b in pairwise(cuts))
    return tuple(stretches)


def bin_of(stretch: Session) -> Micros:
    """The length of the bins in which a stretch's volume is counted."""
    return PERIODIC_BIN if stretch.round_the_clock else BIN


def _history(
    source: Source, instrument: Instrument, stretch: Session
) -> tuple[VolumeCurve | None, Decimal | None]:
    """Volume curve and mean volume of the days before `stretch`, those of full length only."""
    earlier = source.earlier(instrument.symbol, stretch)
    longest = max((past.length for past in earlier), default=0)
    alike = [past for past in earlier if past.length == longest][-HISTORY_STRETCHES:]
    if not alike:
        return None, None
    length = bin_of(stretch)
    known = {past: source.volumes(instrument.symbol, past, length) for past in alike}
    curve = curve_from_history(
        list(known.values()), bin_length=length, periodic=stretch.round_the_clock
    )
    # A lunch break makes two stretches of a day, of which one may be the shorter.
    dates = {past.opens_at // DAY for past in alike}
    total = 0.0
    for past in earlier:
        if past.opens_at // DAY in dates:
            total += sum(known.get(past) or source.volumes(instrument.symbol, past, length))
    return curve, floor_to(Decimal(total / len(dates)), instrument.lot)


def _covering(source: Source, symbol: str, held: _Held | None, ahead: Sequence[Session]) -> _Held:
    due = _due(ahead)
    missing: Sequence[Session] = due
    if held is not None:
        last = held.loaded[-1][0]
        since = source.stretches(symbol, last.closes_at)
        missing = [stretch for stretch in since if stretch.opens_at <= due[-1].opens_at]
    if len(missing) > KEPT_STRETCHES:
        # Time jumped: what would be trimmed at once is not brought in.
        held, missing = None, missing[-KEPT_STRETCHES:]
    tape = held.tape if held else None
    loaded = list(held.loaded) if held else []
    for stretch in missing:
        part = source.tape(symbol, stretch)
        tape = tape.extended(part) if tape else part
        loaded.append((stretch, part.since))
    assert tape is not None, "what is ahead or held makes a tape"
    kept = loaded[-KEPT_STRETCHES:]
    return _Held(tape.trimmed(kept[0][1]), tuple(kept), due[0].closes_at)


def _due(ahead: Sequence[Session]) -> Sequence[Session]:
    """The stretch to be traded next, and its neighbour if no pause lies between."""
    follows = len(ahead) > 1 and ahead[0].closes_at == ahead[1].opens_at
    return ahead[: 2 if follows else 1]
