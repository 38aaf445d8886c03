"""What every stepped feed shares: market data known ahead, brought in one stretch at a time.

A stretch is a session, or a UTC day of a market that never closes: the piece that a source makes
or reads at once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from app.domain.extended_hours import days_of
from app.domain.instant import DAY, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.quantity import floor_to
from app.domain.session import Session, join_adjacent
from app.domain.tape import Tape
from app.domain.volatility import daily_volatility
from app.domain.volume import BIN, PERIODIC_BIN, VolumeCurve, curve_from_history
from app.ports import FeedError, Watched
from app.tapes.reading.stretches import days as days

KEPT_STRETCHES = 3
"""How many stretches stay in memory, per symbol, where nobody needs more."""

HISTORY_STRETCHES = 20


class Source(Protocol):
    """Where a taped feed gets its data; called in a thread, one call at a time."""

    def instrument(self, symbol: str) -> Instrument | None:
        """None for a symbol the source does not know."""
        ...

    def around(self, symbol: str) -> tuple[Micros, Micros] | None:
        """How long before and after each stretch its tape tells of extended hours; None: of none
        that could be traded."""
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

    def variance(self, symbol: str, stretch: Session) -> float | None:
        """The realised variance of a stretch's returns, None where there are none. Raises
        FeedError."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """What is in memory of one symbol: `loaded` has each stretch with its first known moment.

    From `renew_at` on more is needed; None: there is no more, or it cannot be read.
    """

    tape: Tape
    loaded: tuple[tuple[Session, Instant], ...]
    renew_at: Instant | None

    def due(self, now: Instant) -> bool:
        return self.renew_at is not None and now >= self.renew_at


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
        self._needed: dict[str, Instant] = {}
        self._reading = asyncio.Lock()

    async def watch(
        self, symbol: str, now: Instant, since: Instant | None = None
    ) -> Watched | None:
        async with self._reading:
            self._needed.pop(symbol, None)
            if since is not None:
                self._needed[symbol] = since
            return await self._watch(symbol, now)

    async def keep(self, symbol: str, since: Instant) -> None:
        async with self._reading:
            self._needed[symbol] = min(since, self._needed.get(symbol, since))
            held = self._held.get(symbol)
            if held is not None and since < held.tape.since:
                # What is loaded last stays the last: only the past is asked for.
                again = [stretch for stretch, _ in held.loaded]
                reaching = await asyncio.to_thread(
                    _covering, self._source, symbol, held, again, since
                )
                self._held[symbol] = replace(reaching, renew_at=held.renew_at)

    def tape(self, symbol: str) -> Tape:
        return self._held[symbol].tape

    async def advance(self, now: Instant) -> Mapping[str, str]:
        # Called at every step of the clock: what needs nothing must cost nothing.
        if not any(held.due(now) for held in self._held.values()):
            return {}
        failed: dict[str, str] = {}
        async with self._reading:
            for symbol in [s for s, held in self._held.items() if held.due(now)]:
                try:
                    await self._renew(symbol, now)
                except (FeedError, ValueError, OSError) as failure:
                    failed[symbol] = str(failure)
                    self._held[symbol] = replace(self._held[symbol], renew_at=None)
        return failed

    def updated(self) -> Sequence[str]:
        return ()

    async def close(self) -> None:
        return None

    async def _watch(self, symbol: str, now: Instant) -> Watched | None:
        instrument = self._source.instrument(symbol)
        if instrument is None:
            return None
        around = self._source.around(symbol)
        ahead = await asyncio.to_thread(self._source.stretches, symbol, now - _after(around))
        if not ahead:
            return None
        await self._cover(symbol, ahead, _after(around))
        upcoming = next((s for s in ahead if s.closes_at > now), ahead[-1])
        past = await asyncio.to_thread(history, self._source, instrument, upcoming)
        sessions = join_adjacent(ahead)
        return Watched(
            instrument,
            sessions,
            curve=past.curve,
            daily_volume=past.daily_volume,
            volatility=past.volatility,
            days=days_of(sessions, *around) if around is not None else (),
        )

    async def _renew(self, symbol: str, now: Instant) -> None:
        after = _after(self._source.around(symbol))
        ahead = await asyncio.to_thread(self._source.stretches, symbol, now - after)
        if ahead:
            await self._cover(symbol, ahead, after)
        else:
            # The data has ended: the source is not asked again at every step.
            self._held[symbol] = replace(self._held[symbol], renew_at=None)

    async def _cover(self, symbol: str, ahead: Sequence[Session], after: Micros) -> None:
        held, since = self._held.get(symbol), self._needed.get(symbol)
        held = await asyncio.to_thread(_covering, self._source, symbol, held, ahead, since)
        self._held[symbol] = replace(held, renew_at=ahead[0].closes_at + after)


def _after(around: tuple[Micros, Micros] | None) -> Micros:
    return around[1] if around is not None else 0


def bin_of(stretch: Session) -> Micros:
    """The length of the bins in which a stretch's volume is counted."""
    return PERIODIC_BIN if stretch.round_the_clock else BIN


@dataclass(frozen=True, slots=True)
class Known:
    """What the days before tell; nothing of it where there were none."""

    curve: VolumeCurve | None = None
    daily_volume: Decimal | None = None
    volatility: float | None = None


def history(source: Source, instrument: Instrument, stretch: Session) -> Known:
    """Volume curve, mean volume and volatility of the days before `stretch`, those of full length
    only."""
    earlier = source.earlier(instrument.symbol, stretch)
    longest = max((past.length for past in earlier), default=0)
    alike = [past for past in earlier if past.length == longest][-HISTORY_STRETCHES:]
    if not alike:
        return Known()
    symbol, length = instrument.symbol, bin_of(stretch)
    known = {past: source.volumes(symbol, past, length) for past in alike}
    curve = curve_from_history(
        list(known.values()), bin_length=length, periodic=stretch.round_the_clock
    )
    # A lunch break makes two stretches of a day, of which one may be the shorter.
    dates = {past.opens_at // DAY for past in alike}
    total, moved = 0.0, dict.fromkeys(dates, 0.0)
    for past in earlier:
        if (date := past.opens_at // DAY) in dates:
            total += sum(known.get(past) or source.volumes(symbol, past, length))
            moved[date] += source.variance(symbol, past) or 0.0
    return Known(
        curve,
        floor_to(Decimal(total / len(dates)), instrument.lot),
        daily_volatility(variance or None for variance in moved.values()),
    )


def _covering(
    source: Source,
    symbol: str,
    held: _Held | None,
    ahead: Sequence[Session],
    since: Instant | None,
) -> _Held:
    due = _due(ahead)
    needed = due if since is None else _reaching(source, symbol, since, due)
    if held is not None and since is not None and since < held.tape.since:
        # A tape grows at its end only: to reach further back it is read anew.
        needed = _joined(needed, [stretch for stretch, _ in held.loaded])
        held = None
    missing = needed
    if held is not None:
        missing = _until(source, symbol, held.loaded[-1][0].closes_at, due[-1])
    keep = max(KEPT_STRETCHES, len(needed))
    if len(missing) > keep:
        # Time jumped: what would be trimmed at once is not brought in.
        held, missing = None, missing[-keep:]
    tape = held.tape if held else None
    loaded = list(held.loaded) if held else []
    for stretch in missing:
        part = source.tape(symbol, stretch)
        if tape is None and since is not None and not source.earlier(symbol, stretch):
            # Before the first data nothing can be known: that is no gap.
            part = replace(part, since=min(part.since, since))
        tape = tape.extended(part) if tape else part
        loaded.append((stretch, part.since))
    assert tape is not None, "what is ahead or held makes a tape"
    kept = loaded[-keep:]
    return _Held(tape.trimmed(kept[0][1]), tuple(kept), due[0].closes_at)


def _reaching(
    source: Source, symbol: str, since: Instant, due: Sequence[Session]
) -> Sequence[Session]:
    """The stretches from `since` to the last one due, all those due among them.

    In a pause, the one before counts: trades after its close are on its tape.
    """
    needed = _until(source, symbol, min(since, due[0].opens_at), due[-1])
    if since < needed[0].opens_at:
        return [*source.earlier(symbol, needed[0])[-1:], *needed]
    return needed


def _until(source: Source, symbol: str, start: Instant, last: Session) -> Sequence[Session]:
    """The stretches that end after `start`, up to `last`; a source looks ahead so far only."""
    found: list[Session] = []
    while not found or found[-1].opens_at < last.opens_at:
        more = source.stretches(symbol, found[-1].closes_at if found else start)
        if not more:
            break
        found += more
    return [stretch for stretch in found if stretch.opens_at <= last.opens_at]


def _joined(one: Sequence[Session], other: Sequence[Session]) -> Sequence[Session]:
    return sorted({*one, *other}, key=lambda stretch: stretch.opens_at)


def _due(ahead: Sequence[Session]) -> Sequence[Session]:
    """The stretch to be traded next, and its neighbour if no pause lies between."""
    follows = len(ahead) > 1 and ahead[0].closes_at == ahead[1].opens_at
    return ahead[: 2 if follows else 1]
