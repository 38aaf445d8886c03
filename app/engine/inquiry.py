"""When a broker is asked what it knows, and the question that is under way."""

import asyncio
import time
from collections.abc import Sequence

from app.domain.execution import Child
from app.domain.instant import Instant, Micros, seconds
from app.engine import reconcile
from app.engine.reconcile import DOUBTED, Found
from app.ports import Broker

RECONCILE_SECONDS = 30.0
UNKNOWN_SECONDS = 1.0
"""How soon to ask again while some child's fate is not known, or a fill is missing."""

POSITIONS_SECONDS = 60.0
DEEP_SECONDS = 600.0


class Inquiry:
    """One desk's questions to its broker, at most one at a time.

    A slow broker must not hold up the desk: live, the question runs beside it.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._task: asyncio.Task[Found] | None = None
        self._asked_at = self._positions_at = -POSITIONS_SECONDS
        self._deep_at = -DEEP_SECONDS
        self._urgent = self._positions_wanted = False
        self._doubted: list[str] = []
        self._seen_to: Instant = 0
        self._began: Instant = 0
        self.asked: frozenset[str] = frozenset()
        """Children of the question under way."""

    @property
    def urgent(self) -> bool:
        """Whether something was told that only an answer explains."""
        return self._urgent

    def learn(self, seen_to: Instant) -> None:
        """From where on executions may be news."""
        self._seen_to = seen_to

    def want(self, *, positions: bool = False) -> None:
        """Ask as soon as the last question is a moment ago."""
        self._urgent = True
        self._positions_wanted |= positions

    def due(self, *, unknown: bool, after: Micros | None = None) -> bool:
        """Whether it is time to ask; `unknown`: some child's fate is not known."""
        if self._task is not None:
            return False
        patience = UNKNOWN_SECONDS if unknown or self._urgent else RECONCILE_SECONDS
        if after is not None:
            patience = min(patience, seconds(after))
        return time.monotonic() - self._asked_at > patience

    def begin(self, children: Sequence[Child], now: Instant) -> None:
        """Ask about these children; `finished` has the answer."""
        assert self._task is None, "one question at a time"
        self._asked_at, self._began = time.monotonic(), now
        positions = self._positions_due()
        deep = self._asked_at - self._deep_at > DEEP_SECONDS
        if deep:
            self._deep_at = self._asked_at
        self._urgent = self._positions_wanted = False
        self.asked = frozenset(c.id for c in children)
        self._task = asyncio.create_task(
            reconcile.ask(
                self._broker,
                [c.id for c in children],
                since=self._seen_to,
                doubted=self._next_doubted(children),
                positions=positions,
                deep=deep,
            )
        )

    def finished(self) -> Found | None:
        """The answer, once. Raises ConnectionError when the broker could not be asked."""
        if self._task is None or not self._task.done():
            return None
        task, self._task = self._task, None
        found = task.result()
        if found.positions is not None:
            self._positions_at = time.monotonic()
        # What happened before we asked has been told; the overlap covers what is late.
        self._seen_to = max(self._seen_to, self._began)
        return found

    async def wait(self) -> None:
        """Until the question under way is answered, however it is."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Give up what is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _positions_due(self) -> bool:
        long_ago = time.monotonic() - self._positions_at > POSITIONS_SECONDS
        return self._positions_wanted or long_ago

    def _next_doubted(self, children: Sequence[Child]) -> set[str]:
        """The next few in turn of those that nobody doubts."""
        if not self._doubted:
            self._doubted = [c.id for c in children]
        now, self._doubted = self._doubted[:DOUBTED], self._doubted[DOUBTED:]
        return set(now)
