"""When to look at which order again: one due time an order, the newest counts."""

import heapq

from app.domain.instant import Instant


class Agenda:
    """A heap of due times. A later push for the same order replaces the earlier one."""

    def __init__(self) -> None:
        self._heap: list[tuple[Instant, int, str]] = []
        self._newest: dict[str, int] = {}
        self._count = 0

    def push(self, order_id: str, at: Instant) -> None:
        self._count += 1
        self._newest[order_id] = self._count
        heapq.heappush(self._heap, (at, self._count, order_id))

    def forget(self, order_id: str) -> None:
        self._newest.pop(order_id, None)

    def pop(self, now: Instant, at_most: int | None = None) -> list[str]:
        """Orders due at `now`, earliest first, so many at most; each must be pushed again to be
        seen again."""
        due: list[str] = []
        while (at := self.next_at()) is not None and at <= now and len(due) != at_most:
            _, _, order_id = heapq.heappop(self._heap)
            self.forget(order_id)
            due.append(order_id)
        return due

    def next_at(self) -> Instant | None:
        while self._heap and self._newest.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
