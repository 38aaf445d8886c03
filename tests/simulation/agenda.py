"""Virtual time: what is due next, in a fixed order."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from app.domain.instant import Instant


class Agenda:
    """Calls in the order of their moments; those of one moment in the order they were asked for."""

    def __init__(self, now: Instant) -> None:
        self.now = now
        self.steps = 0
        self._heap: list[tuple[Instant, int, Callable[..., None], tuple[Any, ...]]] = []
        self._asked = 0

    def at(self, when: Instant, do: Callable[..., None], *args: Any) -> None:
        self._asked += 1
        heappush(self._heap, (max(when, self.now), self._asked, do, args))

    def run(self, until: Instant, over: Callable[[], bool]) -> None:
        """To the end of the day, or to where `over` says that nothing can happen any more."""
        heap = self._heap
        while heap and heap[0][0] <= until and not over():
            self.now, _, do, args = heappop(heap)
            self.steps += 1
            do(*args)
