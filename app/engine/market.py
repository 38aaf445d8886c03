"""The owner of the feed: watches symbols, and tells everybody market time and quotes."""

import asyncio
import time
from collections.abc import Iterable
from decimal import Decimal

import structlog

from app.domain.execution import Execution
from app.domain.instant import DAY, Instant
from app.domain.market import Market
from app.domain.quantity import ZERO
from app.domain.session import Session, session_from
from app.domain.trigger import Trigger
from app.engine.clock import Clock, LiveClock, SteppedClock
from app.ports import Feed, FeedError, Watched
from app.store import market_state
from app.store.database import Database
from app.store.market_state import Ticked
from app.store.open_orders import Measured

log = structlog.get_logger()

TELL_SECONDS = 0.05

UNREADABLE = (FeedError, ValueError, OSError)
"""What reading one symbol may raise; it concerns that symbol, and must not end the others."""


class MarketDesk:
    """The feed, the clock, and what is known of every watched symbol."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self.feed = feed
        self.watched: dict[str, Watched] = {}
        self._renew_at: dict[str, Instant] = {}
        self._needed: dict[str, Instant] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._database = database
        self._told_at = 0.0
        self.clock: Clock = LiveClock()

    async def open(self, *, speed: Decimal, held: bool) -> None:
        """Start market time where it stood, or where the feed begins, and watch anew."""
        async with self._database.transaction() as connection:
            latest = await market_state.last_market_time(connection)
            starts_at = self.feed.starts_at
            stepped = starts_at is not None
            now = max(latest or 0, starts_at) if starts_at is not None else self.clock.now()
            await market_state.start_clock(
                connection, feed=self.feed.name, now=now, stepped=stepped, speed=speed, held=held
            )
            known = await market_state.asked_symbols(connection)
            await market_state.forget_watches(connection)
        if stepped:
            self.clock = SteppedClock(now, speed=speed, held=held)
        await self._recall(known)
        await self.watch(known)
        await self.tell(force=True)

    async def look(self) -> None:
        """Begin to watch what somebody asked for; the loop does not wait for files to be read."""
        async with self._database.connection() as connection:
            asked = await market_state.unanswered(connection)
        for symbol in asked:
            if symbol not in self._reading:
                task = asyncio.create_task(self.watch([symbol]), name=f"watch {symbol}")
                self._reading[symbol] = task
        for symbol, task in list(self._reading.items()):
            if task.done():
                del self._reading[symbol]
                task.result()

    async def close(self) -> None:
        """Stop reading what nobody will use."""
        for task in self._reading.values():
            task.cancel()
        await asyncio.gather(*self._reading.values(), return_exceptions=True)

    async def watch(self, symbols: Iterable[str]) -> None:
        """Watch symbols, or say why not."""
        for symbol in symbols:
            needed = self._needed.get(symbol)
            try:
                watched = await self.feed.watch(symbol, self.clock.now(), needed)
            except UNREADABLE as failure:
                await self._refuse(symbol, str(failure))
                continue
            if watched is None:
                what = "has no more of" if symbol in self.watched else "does not know"
                await self._refuse(symbol, f"the feed {self.feed.name} {what} {symbol!r}")
                continue
            self.watched[symbol] = watched
            current = session_from(watched.sessions, self.clock.now())
            self._renew_at[symbol] = min(
                current.closes_at if current else self.clock.now() + DAY, self.clock.now() + DAY
            )
            await self._tell_watched(symbol, watched)

    async def need(self, symbol: str, since: Instant) -> None:
        """An open order needs what traded from `since` on. Asking again costs nothing."""
        known = self._needed.get(symbol)
        if known is not None and known <= since:
            return
        self._needed[symbol] = since
        if symbol in self.watched:
            try:
                await self.feed.keep(symbol, since)
            except UNREADABLE as failure:
                # The tape stays as it is, shorter than the order: see `measured`.
                log.error("feed cannot reach back", symbol=symbol, error=str(failure))

    async def advance(self, now: Instant) -> None:
        """Cover `now` with every tape; a new session brings a new curve."""
        for symbol, error in (await self.feed.advance(now)).items():
            await self._refuse(symbol, error)
        ended = [s for s, renew_at in self._renew_at.items() if now >= renew_at]
        if ended:
            await self._recall(ended)
            await self.watch(ended)

    async def tell(self, *, force: bool = False) -> None:
        """Tell market time and quotes, at most every 50 ms; take in a new speed or hold."""
        now = time.monotonic()
        if not force and now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        async with self._database.transaction() as connection:
            await market_state.need_not_last(connection)
            speed, held = await market_state.tell_clock(connection, self.clock.now())
            await market_state.tell_quotes(connection, [self._ticked(s) for s in self.watched])
        if isinstance(self.clock, SteppedClock):
            self.clock.pace(speed=speed, held=held)

    def market_for(self, execution: Execution, now: Instant) -> Market:
        """What a decision about an order may see at `now`; nothing, where nobody watches."""
        task = execution.task
        watched = self.watched.get(task.instrument.symbol)
        if watched is None:
            return Market(quote=None)
        tape = self.feed.tape(task.instrument.symbol)
        last = tape.last(now)
        # A tape that begins after the order counts less than was traded, never more: with less
        # volume an order is worked more carefully.
        others = tape.traded(task.start, now).volume
        if self.feed.own_volume_included:
            others -= execution.filled
        return Market(
            quote=tape.quote(now),
            last=last[0] if last else None,
            last_at=last[1] if last else None,
            volume=max(others, ZERO),
            session=session_from(watched.sessions, now),
        )

    def measured(self, execution: Execution, now: Instant) -> Measured | None:
        """What the market traded from the order's start until now (its end at most).

        None where the tape does not know all of it: what was measured before is better.
        """
        task = execution.task
        if task.instrument.symbol not in self.watched:
            return None
        tape = self.feed.tape(task.instrument.symbol)
        if tape.since > task.start:
            return None
        to = min(max(now, task.start), task.end)
        return Measured(task.order_id, tape.traded(task.start, to), to)

    def first(
        self, symbol: str, triggers: Iterable[Trigger], after: Instant, until: Instant
    ) -> Instant | None:
        """When the first of `triggers` fires in (after, until], or when to ask again.

        A tape is known up to a moment only: without a hit before it, one has to look again then.
        """
        if symbol not in self.watched:
            return None
        tape = self.feed.tape(symbol)
        known = min(until, tape.until) if tape.until > after else until
        fired = [tape.first(trigger, after, known) for trigger in triggers]
        hits = [at for at in fired if at is not None]
        return min(hits) if hits else (known if known < until else None)

    def next_open(self, now: Instant) -> Instant | None:
        """When a market that is closed everywhere opens next; None while one is open."""
        upcoming: list[Session] = []
        for watched in self.watched.values():
            session = session_from(watched.sessions, now)
            if session is not None and session.contains(now):
                return None
            if session is not None:
                upcoming.append(session)
        return min((s.opens_at for s in upcoming), default=None)

    async def _recall(self, symbols: list[str]) -> None:
        """From when open orders need history: what no order needs any more is let go."""
        async with self._database.connection() as connection:
            starts = await market_state.oldest_starts(connection, symbols)
        for symbol in symbols:
            self._needed.pop(symbol, None)
        self._needed.update(starts)

    async def _refuse(self, symbol: str, error: str) -> None:
        """Say why a symbol is not watched; the tape it may have goes on being told.

        It is not tried again before somebody asks: nothing would change from turn to turn.
        """
        self._renew_at.pop(symbol, None)
        log.error("feed cannot watch", symbol=symbol, error=error)
        async with self._database.connection() as connection:
            await market_state.refuse(connection, symbol, error)

    async def _tell_watched(self, symbol: str, watched: Watched) -> None:
        async with self._database.transaction() as connection:
            await market_state.tell_watched(
                connection,
                watched.instrument,
                watched.sessions,
                watched.curve,
                watched.daily_volume,
            )
            await market_state.tell_quotes(connection, [self._ticked(symbol)])

    def _ticked(self, symbol: str) -> Ticked:
        now = self.clock.now()
        tape = self.feed.tape(symbol)
        last = tape.last(now)
        return Ticked(symbol, tape.quote(now), last[0] if last else None, last[1] if last else None)
