"""The owner of the feed: watches symbols, and tells everybody market time and quotes."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal

import structlog

from app.domain.execution import Execution
from app.domain.instant import DAY, SECOND, Instant
from app.domain.market import Market
from app.domain.seen import View, earliest, seen
from app.domain.session import opens_next, session_from
from app.domain.trigger import Trigger
from app.engine.clock import Clock, LiveClock, SteppedClock
from app.engine.leaning import Leanings
from app.engine.ticking import Ticker
from app.ports import Feed, FeedError, Watched
from app.store import leases, market_needs, market_state
from app.store.database import Connection, Database
from app.store.leases import Lease
from app.store.market_state import Ticked
from app.store.open_orders import Measured

log = structlog.get_logger()

TELL_SECONDS = 0.05
RETRY_SECONDS = 5.0
CLOCKS_DIFFER = SECOND
"""Machines that take over from each other may differ by less; told time does not go back then."""

UNREADABLE = (FeedError, ValueError, OSError)
"""What reading one symbol may raise; it concerns that symbol, and must not end the others."""


class MarketDesk:
    """The feed, the clock, and what is known of every watched symbol."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self.feed = feed
        self.watched: dict[str, Watched] = {}
        self._renew_at: dict[str, Instant] = {}
        self._needed: dict[str, Instant] = {}
        self._extended: set[str] = set()
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._retry_at: dict[str, float] = {}
        self._database = database
        self._lease: Lease | None = None
        self._ticker = Ticker()
        self._leanings = Leanings()
        self._told_at = 0.0
        self.telling = False
        """Whether we tell market time and quotes, or only watch what our own orders need."""
        self.clock: Clock = LiveClock()

    async def open(self, *, speed: Decimal, held: bool, lease: Lease | None = None) -> None:
        """Stepped: start market time where it stood, or where the feed begins; watch anew."""
        starts_at = self.feed.starts_at
        assert starts_at is not None, "a live market needs no opening: its time is the machine's"
        async with self._database.transaction() as connection:
            if lease is not None:
                await leases.hold(connection, lease)
            latest = await market_state.last_market_time(connection)
            now = max(latest or 0, starts_at)
            await market_state.start_clock(
                connection, feed=self.feed.name, now=now, stepped=True, speed=speed, held=held
            )
            known = await market_state.asked_symbols(connection)
            await market_state.forget_watches(connection)
        self._lease, self.telling = lease, True
        self.clock = SteppedClock(now, speed=speed, held=held)
        await self._recall(known)
        await self.watch(known)
        await self.tell(force=True)

    async def begin_telling(self, lease: Lease, symbols: Iterable[str]) -> None:
        """Live: tell market time from now on, and answer who asks for a symbol.

        The quotes of who told before us count no more; `symbols` are watched unasked.
        """
        async with self._database.transaction() as connection:
            await leases.hold(connection, lease)
            now, latest = self.clock.now(), await market_state.last_market_time(connection)
            if latest is not None and latest - now < CLOCKS_DIFFER:
                now = max(now, latest)
            await market_state.start_clock(
                connection,
                feed=self.feed.name,
                now=now,
                stepped=False,
                speed=Decimal(1),
                held=False,
            )
            await market_state.forget_watches(connection)
            for symbol in symbols:
                await market_state.ask(connection, symbol)
        self._lease, self.telling = lease, True

    def stop_telling(self) -> None:
        """Somebody else tells the market now; our own orders go on."""
        self._lease, self.telling = None, False

    def reach(self, latest: Instant) -> None:
        """A stepped clock never goes behind what a broker knows."""
        if isinstance(self.clock, SteppedClock):
            self.clock.jump(latest)

    async def look(self) -> None:
        """Begin to watch what somebody asked for; the loop does not wait for files to be read."""
        asked = self._to_try_again()
        if self.telling:
            async with self._database.connection() as connection:
                asked += await market_state.unanswered(connection)
        self._read(asked)
        for symbol, task in list(self._reading.items()):
            if task.done():
                del self._reading[symbol]
                task.result()

    def _read(self, symbols: Iterable[str]) -> None:
        for symbol in [s for s in symbols if s not in self._reading]:
            task = asyncio.create_task(self.watch([symbol]), name=f"watch {symbol}")
            self._reading[symbol] = task

    async def close(self) -> None:
        """Stop reading what nobody will use."""
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)
        await self.feed.close()

    async def watch(self, symbols: Iterable[str]) -> None:
        """Watch symbols, or say why not."""
        for symbol in symbols:
            needed, now = self._needed.get(symbol), self.clock.now()
            try:
                watched = await self.feed.watch(symbol, now, needed)
            except UNREADABLE as failure:
                await self._refuse(symbol, str(failure))
                continue
            if watched is None:
                what = "has no more of" if symbol in self.watched else "does not know"
                await self._refuse(symbol, f"the feed {self.feed.name} {what} {symbol!r}")
                continue
            self.watched[symbol] = watched
            current, tomorrow = session_from(watched.sessions, now), now + DAY
            self._renew_at[symbol] = min(current.closes_at if current else tomorrow, tomorrow)
            await self._tell_watched(symbol, watched)

    async def need(self, symbol: str, since: Instant, extended_hours: bool = False) -> None:
        """An open order needs what traded from `since` on. Asking again costs nothing."""
        if extended_hours:
            self._extended.add(symbol)
        known = self._needed.get(symbol)
        if known is not None and known <= since:
            return
        self._needed[symbol] = since
        if symbol not in self.watched:
            if not self.clock.stepped:
                await self.watch([symbol])
        else:
            try:
                await self.feed.keep(symbol, since)
            except UNREADABLE as failure:
                # The tape stays as it is, shorter than the order: see `measured`.
                log.error("feed cannot reach back", symbol=symbol, error=str(failure))

    async def advance(self, now: Instant) -> None:
        """Cover `now` with every tape; a new session brings a new curve (live, in its time)."""
        for symbol, error in (await self.feed.advance(now)).items():
            await self._refuse(symbol, error)
        ended = [s for s, renew_at in self._renew_at.items() if now >= renew_at]
        if not ended:
            return
        await self._recall(ended)
        if self.clock.stepped:
            await self.watch(ended)
            return
        for symbol in ended:
            del self._renew_at[symbol]
        self._read(ended)

    async def tell(self, *, force: bool = False) -> None:
        """Tell market time and quotes, at most every 50 ms; take in a new speed or hold."""
        due_at = self._told_at + TELL_SECONDS
        if not self.telling or (not force and time.monotonic() < due_at):
            return
        self._told_at = time.monotonic()
        leanings = self._leanings.due(self.feed, self.watched, self.clock.now())
        async with self._database.transaction() as connection:
            await market_state.need_not_last(connection)
            now = self.clock.now()
            speed, held = await market_state.tell_clock(connection, now, self._lease)
            await market_state.tell_quotes(connection, [self._ticked(s) for s in self.watched])
            await self._leanings.tell(connection, leanings)
        if isinstance(self.clock, SteppedClock):
            self.clock.pace(speed=speed, held=held)

    def market_for(self, execution: Execution, now: Instant) -> Market:
        """What a decision about an order may see at `now`; nothing, where nobody watches."""
        task = execution.task
        watched = self.watched.get(task.instrument.symbol)
        if watched is None:
            return Market(quote=None)
        tape = self.feed.tape(task.instrument.symbol)
        included = self.feed.own_volume_included
        view = View(watched.sessions, watched.volume_coverage, included, watched.days)
        return seen(tape, view, execution, now)

    def vwap(self, execution: Execution, now: Instant) -> Decimal | None:
        """The market's own average price since the order's start, where the tape knows it."""
        measured = self.measured(execution, now)
        return measured.traded.vwap if measured is not None else None

    def measured(self, execution: Execution, now: Instant) -> Measured | None:
        """What the market traded from the order's start until now (its end at most).

        None where the tape does not know all of it: what was measured before is better.
        """
        task = execution.task
        watched = self.watched.get(task.instrument.symbol)
        tape = self.feed.tape(task.instrument.symbol) if watched is not None else None
        if watched is None or tape is None or tape.since > task.start:
            return None
        to = min(max(now, task.start), task.end)
        traded = watched.traded(tape, task.start, to)
        return Measured(task.order_id, traded, to, self.feed.own_volume_included)

    def first(
        self, symbol: str, triggers: Iterable[Trigger], after: Instant, until: Instant
    ) -> Instant | None:
        """When the first of `triggers` fires in (after, until], or when to ask again."""
        if symbol not in self.watched:
            return None
        return earliest(self.feed.tape(symbol), triggers, after, until)

    def next_open(self, now: Instant) -> Instant | None:
        """When a market that is closed everywhere opens next; None while one is open."""
        return opens_next(
            (w.hours(extended=symbol in self._extended) for symbol, w in self.watched.items()), now
        )

    async def _recall(self, symbols: list[str]) -> None:
        """From when open orders need history: what no order needs any more is let go."""
        async with self._database.connection() as connection:
            starts = await market_needs.oldest_starts(connection, symbols)
            extended = await market_needs.extended(connection, symbols)
        for symbol in symbols:
            self._needed.pop(symbol, None)
        self._needed.update(starts)
        self._extended = (self._extended - set(symbols)) | extended

    async def _refuse(self, symbol: str, error: str) -> None:
        """Say why a symbol is not watched; the tape it may have goes on being told.

        Stepped, it is not tried again before somebody asks: nothing would change from turn to
        turn. Live, what is watched or open orders need is tried again.
        """
        self._renew_at.pop(symbol, None)
        if symbol in self.watched and not self.clock.stepped:
            self._renew_at[symbol] = self.clock.now() + int(RETRY_SECONDS * SECOND)
        self._retry_at[symbol] = time.monotonic() + RETRY_SECONDS
        log.error("feed cannot watch", symbol=symbol, error=error)
        if self.telling:
            async with self._telling() as connection:
                await market_state.refuse(connection, symbol, error)

    def _to_try_again(self) -> list[str]:
        if self.clock.stepped:
            return []
        missing = (symbol for symbol in self._needed if symbol not in self.watched)
        return [s for s in missing if time.monotonic() >= self._retry_at.get(s, 0.0)]

    @asynccontextmanager
    async def _telling(self) -> AsyncIterator[Connection]:
        """A transaction in which the market is still ours to tell. Raises Lost."""
        async with self._database.transaction() as connection:
            if self._lease is not None:
                await leases.hold(connection, self._lease)
            yield connection

    async def _tell_watched(self, symbol: str, told: Watched) -> None:
        if not self.telling:
            return
        async with self._telling() as connection:
            await market_state.tell_watched(
                connection,
                told.instrument,
                told.sessions,
                told.curve,
                told.daily_volume,
                told.volatility,
                told.days,
            )
            await market_state.tell_quotes(connection, [self._ticked(symbol)])

    def _ticked(self, symbol: str) -> Ticked:
        return self._ticker.ticked(self.feed.tape(symbol), symbol, self.clock.now())
