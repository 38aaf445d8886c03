"""The stream's heart: one reader of the event log, many subscribers, one frame for all of them.

A subscriber gets what is after its cursor from the log, then what the reader brings. A reader
that falls behind is let go with its cursor; it comes back and has lost nothing.
"""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

import structlog

from app.engine.ids import new_id
from app.failpoints import reach
from app.store import event_log
from app.store.background import Background
from app.store.database import Database, unreachable
from app.store.doorbell import EVENTS, Doorbell
from app.store.event_log import START, Cursor, Event

log = structlog.get_logger()

POLL_SECONDS = 0.25
TELL_SECONDS = 1.0
QUEUE_MAX = 5_000
_PAGE = 1_000


class FellBehind(Exception):
    """The subscriber did not keep up; `cursor` is the last event it was handed."""

    def __init__(self, cursor: Cursor) -> None:
        super().__init__(str(cursor))
        self.cursor = cursor


class Gap(Exception):
    """The cursor is no place in this log: older than what is kept, beyond its head, or of another
    era. `oldest` is where to start."""

    def __init__(self, oldest: Cursor) -> None:
        super().__init__(str(oldest))
        self.oldest = oldest


@dataclass(slots=True, eq=False)
class Subscriber:
    """A place in the stream. `cursor` is the last event it was handed; what `wants` holds back
    does not move it."""

    wants: Callable[[Event], bool]
    cursor: Cursor
    replaying: Cursor | None = None
    queue: deque[Event] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    overflowed: bool = False

    def needs_after(self, head: Cursor) -> Cursor:
        """It still needs what is after this place, should it break off and come back."""
        if self.replaying is not None:
            return self.replaying
        # With nothing waiting it was handed all that it wants up to the head.
        return self.cursor if self.queue or self.overflowed else head


class Hub:
    """Reads the log once for everybody."""

    def __init__(self, database: Database, doorbell: Doorbell) -> None:
        self._database = database
        self._doorbell = doorbell
        self._subscribers: set[Subscriber] = set()
        self.loop = Background(self._run, "hub")
        self.head = Cursor(0, 0, 0)
        self._name = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"
        # Who broke off a moment ago may come back: where the slowest stood is told for a while.
        self._places: deque[tuple[float, Cursor]] = deque()

    async def start(self) -> None:
        async with self._database.connection() as connection:
            self.head = await event_log.head(connection)
        self.loop.start()

    async def close(self) -> None:
        await self.loop.close()

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    async def follow(
        self, after: Cursor | None, wants: Callable[[Event], bool]
    ) -> AsyncGenerator[Event, None]:
        """Events after a cursor (None: from now on, START: from the oldest kept), for ever.

        Raises Gap before the first event (or, rarely, within a replay that takes longer than
        events are kept), FellBehind when the caller is too slow.
        """
        # In the set before the replay, so that nothing falls between replay and live.
        subscriber = Subscriber(wants, self.head)
        self._subscribers.add(subscriber)
        try:
            if after is not None:
                subscriber.replaying = await self._place(after)
                async for event in self._replay(subscriber, subscriber.cursor):
                    if wants(event):
                        yield event
                subscriber.replaying = None
            async for event in self._live(subscriber):
                yield event
        finally:
            self._subscribers.discard(subscriber)

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

    async def _replay(self, subscriber: Subscriber, upto: Cursor) -> AsyncIterator[Event]:
        """Raises Gap where events were removed that it should have read: it was never told of."""
        begin = cursor = subscriber.replaying
        assert cursor is not None, "it begins somewhere"
        while cursor < upto:
            async with self._database.connection() as connection:
                page = await event_log.read(connection, cursor, limit=_PAGE, upto=upto)
                oldest = await event_log.oldest(connection)
            if oldest > cursor:
                raise Gap(oldest)
            for event in page:
                yield event
            if len(page) < _PAGE:
                return
            told = subscriber.replaying is not begin
            cursor = subscriber.replaying = page[-1].cursor
            if not told:
                # It will take longer: from here on nothing is removed under it.
                await self._tell_place(at_once=True)

    async def _live(self, subscriber: Subscriber) -> AsyncIterator[Event]:
        while True:
            while subscriber.queue:
                event = subscriber.queue.popleft()
                subscriber.cursor = event.cursor
                reach("frame.handed_out")
                yield event
            if subscriber.overflowed:
                raise FellBehind(subscriber.cursor)
            subscriber.ready.clear()
            await subscriber.ready.wait()

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
            await self._doorbell.wait(EVENTS, at_most=POLL_SECONDS)

    async def _read_page(self) -> bool:
        """Hand out one page; whether there may be more."""
        async with self._database.connection() as connection:
            page = await event_log.read(connection, self.head, limit=_PAGE)
        for event in page:
            reach("events.read")
            self._hand_out(event)
        if page:
            self.head = page[-1].cursor
            reach("events.handed_out")
        return len(page) == _PAGE

    async def _tell_place(self, *, at_once: bool = False) -> None:
        """Tell once a second what the slowest subscriber of the last minute still needs."""
        now = time.monotonic()
        if not at_once and self._places and now - self._places[-1][0] < TELL_SECONDS:
            return
        needed = (subscriber.needs_after(self.head) for subscriber in self._subscribers)
        self._places.append((now, min(needed, default=self.head)))
        while now - self._places[0][0] > event_log.READER_SECONDS:
            self._places.popleft()
        lowest = min(place for _, place in self._places)
        async with self._database.connection() as connection:
            await event_log.tell(connection, reader=self._name, place=lowest)

    def _hand_out(self, event: Event) -> None:
        for subscriber in self._subscribers:
            if subscriber.overflowed or not subscriber.wants(event):
                continue
            if len(subscriber.queue) >= QUEUE_MAX:
                subscriber.overflowed = True
            else:
                subscriber.queue.append(event)
            subscriber.ready.set()
