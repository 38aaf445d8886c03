"""What one wish has of the stream lately, kept once for all who share it.

Each of them stands at a place of its own: what is new is put down once, however many listen, and
a line that takes nothing costs nobody else a moment.
"""

import asyncio
from dataclasses import dataclass, field

from app.store.event_log import Cursor, Event

KEPT_MAX = 5_000
"""Events that wait for the slowest; beyond them it is let go with its cursor."""
_AT_ONCE = 100


class FellBehind(Exception):
    """The subscriber did not keep up: what it was to be handed next is not kept any more.
    `cursor` is the last event it was told."""

    def __init__(self, cursor: Cursor) -> None:
        super().__init__(str(cursor))
        self.cursor = cursor


class Ring:
    """Events in their order. `first` and `end` count them from the first one ever put: the oldest
    that is kept, and the one to come."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self.first = 0
        self.news = asyncio.Event()

    @property
    def end(self) -> int:
        return self.first + len(self._events)

    def put(self, events: list[Event]) -> None:
        """Keep them, and wake all who wait."""
        self._events += events
        self.forget(self.end - KEPT_MAX)
        self.news.set()
        self.news = asyncio.Event()

    def after(self, place: int) -> list[Event]:
        """What comes next, as much as is handed out at a time."""
        begin = place - self.first
        return self._events[begin : begin + _AT_ONCE]

    def forget(self, place: int) -> None:
        """Nobody needs what is before this place."""
        gone = place - self.first
        if gone > 0:
            del self._events[:gone]
            self.first += gone


@dataclass(slots=True, eq=False)
class Subscriber:
    """A place in the stream. `beyond` is the last event that it may have been told elsewhere (None
    once the log is past it), `cursor` the last one it was handed here, `sent` the last one that it
    came back from, `at` its place in the ring; what its wish holds back does not move it."""

    ring: Ring
    beyond: Cursor | None
    cursor: Cursor
    at: int
    sent: Cursor = field(init=False)
    replaying: Cursor | None = None

    def __post_init__(self) -> None:
        self.sent = self.cursor

    def take(self) -> list[Event]:
        """What it is to be handed next, once it has sent what it was handed last; nothing: it has
        all. Raises FellBehind."""
        ring = self.ring
        self.sent = self.cursor
        while self.at < ring.end:
            if self.at < ring.first:
                raise FellBehind(max(self.cursor, self.beyond or self.cursor))
            some = ring.after(self.at)
            self.at += len(some)
            self.cursor = some[-1].cursor
            wanted = self._not_told(some)
            if wanted:
                return wanted
            self.sent = self.cursor
        return []

    def needs_after(self, head: Cursor) -> Cursor:
        """It still needs what is after this place, should it break off and come back."""
        if self.replaying is not None:
            return self.replaying
        # With nothing waiting or in hand it was sent all that it wants up to the head.
        return head if self.at >= self.ring.end and self.sent == self.cursor else self.sent

    def _not_told(self, some: list[Event]) -> list[Event]:
        if self.beyond is None:
            return some
        if some[0].cursor > self.beyond:
            self.beyond = None
            return some
        return [event for event in some if event.cursor > self.beyond]
