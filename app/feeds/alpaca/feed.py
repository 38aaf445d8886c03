"""The feed: watches symbols on the live line, fills from history what the line did not tell."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

import structlog

from app.domain.extended_hours import ahead as days_ahead
from app.domain.instant import DAY, MILLISECOND, MINUTE, Instant
from app.domain.session import session_at
from app.domain.tape import Tape
from app.feeds.alpaca import history
from app.feeds.alpaca.kept import Kept, Told
from app.feeds.alpaca.line import Line
from app.feeds.alpaca.options import Options
from app.feeds.alpaca.reading import (
    Record,
    correction_of,
    level_of,
    print_of,
    struck_of,
)
from app.feeds.alpaca.reference import Days, check_asset, instrument
from app.feeds.alpaca.stream import Stream
from app.ports import FeedError, Watched

log = structlog.get_logger()

NAME = "alpaca"

RECENT = 2 * MINUTE
"""How far back a tape reaches where nobody needs more."""

SLACK = 30 * MINUTE
"""What is not needed any more is let go of when there is so much of it."""

KEPT_MOST = 3 * DAY
LIST_SECONDS = 3.0
WATCH_SECONDS = 9.0
MIND_SECONDS = 0.2
FILL_SECONDS = 5.0
"""After so long without the answer of history, what the line tells is taken with the gap."""


class AlpacaFeed:
    """Implements `ports.Feed` for machine time."""

    name = NAME
    starts_at: Instant | None = None
    own_volume_included = True

    def __init__(self, options: Options) -> None:
        self._options = options
        self._line = Line(options)
        self._days = Days(self._line)
        self._stream = Stream(options, self._hear, self._listed)
        self._kept: dict[str, Kept] = {}
        self._needed: dict[str, Instant] = {}
        self._updated: list[str] = []
        self._now: Instant = 0
        self._begun: set[str] = set()
        self._heard_at: dict[str, float] = {}
        self._behind: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def watch(
        self, symbol: str, now: Instant, since: Instant | None = None
    ) -> Watched | None:
        self._now = max(now, self._now)
        self._start()
        self._needed.pop(symbol, None)
        if since is not None:
            self._needed[symbol] = since
        try:
            async with asyncio.timeout(WATCH_SECONDS):
                return await self._watch(symbol, now)
        except TimeoutError:
            raise FeedError(f"Alpaca took longer than {WATCH_SECONDS:g} s for {symbol}") from None

    async def keep(self, symbol: str, since: Instant) -> None:
        self._needed[symbol] = min(since, self._needed.get(symbol, since))
        kept = self._kept.get(symbol)
        if kept is not None:
            await self._reach_back(symbol, kept)

    def tape(self, symbol: str) -> Tape:
        return self._kept[symbol].tape

    async def advance(self, now: Instant) -> Mapping[str, str]:
        self._now = max(now, self._now)
        for task in self._tasks:
            if task.done():
                task.result()
        for symbol, kept in self._kept.items():
            waits = self._behind.get(symbol)
            if waits is not None and time.monotonic() < waits:
                continue  # What was missed comes first.
            if kept.publish(now, carried=symbol in self._stream.carried):
                self._updated.append(symbol)
            first = self._first(symbol)
            if kept.tape.since < first - SLACK:
                kept.trim(first)
        return {}

    def updated(self) -> Sequence[str]:
        updated, self._updated = self._updated, []
        return tuple(dict.fromkeys(updated))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._line.close()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._stream.run(), name="market data line"),
                asyncio.create_task(self._mind(), name="market data minder"),
            ]

    async def _watch(self, symbol: str, now: Instant) -> Watched | None:
        known, sessions = await asyncio.gather(
            check_asset(self._line, symbol), self._days.around(now)
        )
        ahead = tuple(session for session in sessions if session.closes_at > now)
        if not known or not ahead:
            return None
        past, kept = await asyncio.gather(
            history.past(self._line, self._options.source, symbol, sessions, now),
            self._follow(symbol),
        )
        last, share = kept.tape.last(now), str(past.coverage)
        log.info("watched", symbol=symbol, volume_coverage=share, volume=str(past.daily_volume))
        return Watched(
            instrument=instrument(symbol, last[0] if last is not None else None),
            sessions=ahead,
            curve=past.curve,
            daily_volume=past.daily_volume,
            volume_coverage=past.coverage,
            volatility=past.volatility,
            days=days_ahead(self._days.whole, now),
        )

    async def _follow(self, symbol: str) -> Kept:
        """Have a tape of the symbol that reaches back as far as is needed, and grows."""
        kept = self._kept.get(symbol)
        if kept is not None:
            await self._reach_back(symbol, kept)
            return kept
        kept = Kept(symbol, self._first(symbol))
        self._kept[symbol] = kept
        self._behind[symbol] = time.monotonic() + WATCH_SECONDS
        try:
            await self._stream.want(symbol, LIST_SECONDS)
            connection = self._stream.connections
            await self._begin(symbol, kept)
        except BaseException:
            del self._kept[symbol]
            raise
        finally:
            self._behind.pop(symbol, None)
        if self._stream.connections != connection:
            self._fall_behind(symbol)
        kept.publish(self._now, carried=symbol in self._stream.carried)
        return kept

    async def _begin(self, symbol: str, kept: Kept) -> None:
        """The first rows: what held before the tape, and all that traded since."""
        source, now = self._options.source, self._now
        levels, trades = await history.latest(self._line, source, [symbol])
        rows = await history.prints(self._line, source, symbol, kept.tape.since, now)
        if symbol in trades:
            kept.begin(trades[symbol])
        if symbol in levels:
            kept.hear(levels[symbol])
        kept.learn(rows, now)
        self._heard_at[symbol] = self._asked_at[symbol] = time.monotonic()
        self._begun.add(symbol)

    async def _reach_back(self, symbol: str, kept: Kept) -> None:
        first, known = self._first(symbol), kept.tape.since
        if first < known:
            rows = await history.prints(
                self._line, self._options.source, symbol, first, self._now, known
            )
            kept.precede(rows, first)

    def _first(self, symbol: str) -> Instant:
        """From when on the tape is needed."""
        usual = self._now - RECENT
        return max(min(self._needed.get(symbol, usual), usual), self._now - KEPT_MOST)

    def _hear(self, record: Record) -> None:
        symbol = str(record.get("S"))
        kept = self._kept.get(symbol)
        if kept is None:
            return
        try:
            told = _told(record)
        except FeedError as unreadable:
            log.error("market data not read", symbol=symbol, error=str(unreadable))
            return
        self._heard_at[symbol] = time.monotonic()
        if told is not None:
            kept.hear(told)

    def _listed(self, symbols: frozenset[str]) -> None:
        """The line carries these again; what happened meanwhile is asked for before they go on."""
        for symbol in symbols & self._begun:
            self._fall_behind(symbol)

    def _fall_behind(self, symbol: str) -> None:
        self._behind[symbol] = time.monotonic() + FILL_SECONDS
        self._kept[symbol].doubt()
        self._asked_at.pop(symbol, None)

    async def _mind(self) -> None:
        """Ask for what the line does not tell; find out when it went mute."""
        while True:
            await asyncio.sleep(MIND_SECONDS)
            try:
                await self._ask_for_missing()
                await self._ask_about_silent()
            except FeedError as failure:
                log.warning("market data not asked for", error=str(failure))

    async def _ask_for_missing(self) -> None:
        at, poll = time.monotonic(), self._options.poll_ms / 1_000
        # Until a symbol has its first rows, who watches it asks.
        away = [s for s in self._begun if s not in self._stream.carried or s in self._behind]
        due = [s for s in away if at - self._asked_at.get(s, -poll) >= poll]
        if due:
            self._asked_at.update(dict.fromkeys(due, at))
            waits = {symbol: self._behind.get(symbol) for symbol in due}
            await self._ask(due)
            for symbol in due:
                # Unless the line broke and came back meanwhile: the answer may be older.
                if self._behind.get(symbol) == waits[symbol]:
                    self._behind.pop(symbol, None)
                    self._kept[symbol].settle()

    async def _ask_about_silent(self) -> None:
        at = time.monotonic()
        silent = [s for s in self._stream.carried & self._begun if self._silent(s, at)]
        if not silent:
            return
        self._heard_at.update(dict.fromkeys(silent, at))
        untold = await self._ask(silent)
        if untold and set(untold) <= self._stream.carried:
            self._stream.drop(f"it told nothing of {', '.join(untold)}, which traded or was quoted")

    def _silent(self, symbol: str, at: float) -> bool:
        longest = self._options.silent_ms / 1_000
        if at - self._heard_at[symbol] < longest:
            return False
        return session_at(self._days.known, self._now) is not None

    async def _ask(self, symbols: Iterable[str]) -> list[str]:
        """Ask history of all that is not sure; the symbols of which the line should have told."""
        source, now = self._options.source, self._now
        kepts = {symbol: self._kept[symbol] for symbol in symbols}
        since = {symbol: kept.unsure_from for symbol, kept in kepts.items()}
        near = {symbol: at for symbol, at in since.items() if now - at <= history.NEAR}
        levels, _ = await history.latest(self._line, source, kepts)
        rows = await history.recent(self._line, source, near) if near else {}
        for symbol in since.keys() - near.keys():
            rows[symbol] = await history.prints(self._line, source, symbol, since[symbol], now)
        untold, due = [], now - self._options.in_flight_ms * MILLISECOND
        for symbol, kept in kepts.items():
            fresh = [told.at for told in kept.learn(rows.get(symbol, ()), now)]
            level = levels.get(symbol)
            if level is not None and level.at > kept.quoted_at:
                kept.hear(level)
                fresh.append(level.at)
            if any(at < due for at in fresh):
                untold.append(symbol)
        return sorted(untold)


def _told(record: Record) -> Told | None:
    match record.get("T"):
        case "t":
            return print_of(record)
        case "q":
            return level_of(record)
        case "c":
            return correction_of(record)
        case "x":
            return struck_of(record)
        case _:
            return None  # Halts, bands and bars are told, too; nothing here lives by them.
