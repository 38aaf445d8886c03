"""The stream's heart: one reader of the event log, many subscribers, one frame for all of them.

A subscriber gets what is after its cursor from the log, then what the reader brings. A reader
that falls behind is let go with its cursor; it comes back and has lost nothing.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import structlog

from app.engine.ids import new_id
from app.engine.ring import Ring, Subscriber
from app.engine.wish import Wish
from app.failpoints import reach
from app.store import event_log
from app.store.background import Background
from app.store.database import Database, unreachable
from app.store.doorbell import EVENTS, Doorbell
from app.store.event_log import START, Cursor, Event

log = structlog.get_logger()

POLL_SECONDS = 0.25
TELL_SECONDS = 1.0
_PAGE = 1_000


class Gap(Exception):
    """The cursor is no place in this log: older than what is kept, beyond its head, or of another
    era. `oldest` is where to start."""

    def __init__(self, oldest: Cursor) -> None:
        super().__init__(str(oldest))
        self.oldest = oldest


class Hub:
    """Reads the log once for everybody."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        self._database = database
        self._doorbell = doorbell
        self._subscribers: set[Subscriber] = set()
        # Most share their wish: it is asked, and what it lets through is kept, once for them all.
        self._rings: dict[Wish, tuple[Ring, set[Subscriber]]] = {}
        self._followed = asyncio.Event()
        self.loop = Background(self._run, "hub")
        self.head = Cursor(0, 0, 0)
        self._name = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"
        # Who broke off a moment ago may come back: where the slowest stood is told for a while.
        self._places: deque[tuple[float, Cursor]] = deque()

    async def start(self) -> None:
        async with self._database.connection() as connection:
            await event_log.forget_silent(connection)
            self.head = await event_log.head(connection)
        self.loop.start()

    async def close(self) -> None:
        await self.loop.close()

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    async def now(self) -> Cursor:
        """The place from which somebody begins who wants what comes from now on."""
        if self._subscribers:
            return self.head
        async with self._database.connection() as connection:
            head = await event_log.head(connection)
        if not self._subscribers:
            self.head = max(self.head, head)
        return self.head

    async def back(self, seconds: float) -> Cursor:
        """The place from which somebody begins who wants the last seconds as well."""
        async with self._database.connection() as connection:
            return await event_log.place_before(connection, seconds)

    async def follow(self, after: Cursor, wish: Wish) -> AsyncGenerator[list[Event], None]:
        """Events after a cursor (START: from the oldest kept), for ever, as many at a time as
        there are.

        Raises Gap before the first event (or, rarely, within a replay that takes longer than
        events are kept), FellBehind when the caller is too slow.
        """
        # In the set before the replay, so that nothing falls between replay and live. Another
        # server may have told the caller more than ours has read: nothing is told twice.
        ring, alike = self._rings.setdefault(wish, (Ring(), set()))
        subscriber = Subscriber(ring, after, self.head, ring.end)
        self._subscribers.add(subscriber)
        alike.add(subscriber)
        self._followed.set()
        try:
            begin = subscriber.replaying = await self._place(after)
            async for page in self._replay(subscriber, begin, subscriber.cursor):
                wanted = [e for e in page if wish.wants(e) and e.cursor > after]
                if wanted:
                    yield wanted
            subscriber.replaying = None
            async for wanted in self._live(subscriber):
                yield wanted
        finally:
            self._subscribers.discard(subscriber)
            alike.discard(subscriber)
            if not alike:
                del self._rings[wish]

    async def _place(self, after: Cursor) -> Cursor:
        """Where to begin. Raises Gap for a cursor that this log never gave, or no longer has."""
        async with self._database.connection() as connection:
            oldest = await event_log.oldest(connection)
            # Read now: another server may have told the client more than our reader has seen.
            head = await event_log.head(connection)
        if after == START:
            return oldest
        # Where all was pruned, the floor is the last place there was.
        if after.era != head.era or not oldest <= after <= max(oldest, head):
            raise Gap(oldest)
        return after

    async def _replay(
        self, subscriber: Subscriber, after: Cursor, upto: Cursor
    ) -> AsyncIterator[list[Event]]:
        """Raises Gap where events were removed that it should have read: it was never told of."""
        cursor = after
        while cursor < upto:
            async with self._database.connection() as connection:
                page = await event_log.read(connection, cursor, limit=_PAGE, upto=upto)
                oldest = await event_log.oldest(connection)
            if oldest > cursor:
                raise Gap(oldest)
            yield page
            if len(page) < _PAGE:
                return
            told = subscriber.replaying is not after
            cursor = subscriber.replaying = page[-1].cursor
            if not told:
                # It will take longer: from here on nothing is removed under it.
                await self._tell_place(at_once=True)

    async def _live(self, subscriber: Subscriber) -> AsyncIterator[list[Event]]:
        while True:
            while some := subscriber.take():
                reach("frame.handed_out")
                yield some
            await subscriber.ring.news.wait()

    async def _run(self) -> None:
        while True:
            try:
                more = True
                while more:
                    more = await self._read_page()
                    await self._tell_place()
            except Exception as failure:
                if not unreachable(failure):
                    raise
                # The log is still there when the database comes back: look again.
                log.warning("event log not readable", error=str(failure))
            await self._pause()

    async def _pause(self) -> None:
        """Until there may be news for somebody; the bell of every order wakes nobody in vain."""
        if self._subscribers:
            await self._doorbell.wait(EVENTS, at_most=POLL_SECONDS)
            return
        self._followed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._followed.wait()

    async def _read_page(self) -> bool:
        """Hand out one page; whether there may be more."""
        async with self._database.connection() as connection:
            if not self._subscribers:
                head = await event_log.head(connection)
                # Who came meanwhile is told from the head that there was.
                if self._subscribers:
                    return True
                self.head = max(self.head, head)
                return False
            page = await event_log.read(connection, self.head, limit=_PAGE)
        if page:
            reach("events.read")
            self._hand_out(page)
            self.head = page[-1].cursor
            reach("events.handed_out")
        return len(page) == _PAGE

    async def _tell_place(self, *, at_once: bool = False) -> None:
        """Tell once a second what the slowest subscriber of the last minute still needs."""
        now = time.monotonic()
        if not at_once and self._places and now - self._places[-1][0] < TELL_SECONDS:
            return
        for ring, alike in self._rings.values():
            ring.forget(min(subscriber.at for subscriber in alike))
        needed = (subscriber.needs_after(self.head) for subscriber in self._subscribers)
        self._places.append((now, min(needed, default=self.head)))
        while now - self._places[0][0] > event_log.READER_SECONDS:
            self._places.popleft()
        lowest = min(place for _, place in self._places)
        async with self._database.connection() as connection:
            await event_log.tell(connection, reader=self._name, place=lowest)

    def _hand_out(self, page: list[Event]) -> None:
        """Put a page before everybody who wants something of it."""
        for wish, (ring, _) in self._rings.items():
            wanted = [event for event in page if wish.wants(event)]
            if wanted:
                ring.put(wanted)
