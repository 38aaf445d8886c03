"""Who may work when an account's orders are more than may work at once (C1). Pure."""

from bisect import bisect_left, insort

from app.domain.actions import Move
from app.domain.execution import Execution
from app.domain.lifecycle import OrderStatus
from app.engine.working import Rank, Working

_NOT_BEGUN = (OrderStatus.ACCEPTED, OrderStatus.SCHEDULED)


class Queue:
    """Counts orders that have begun to work; the others wait by priority, then by age.

    An order that has begun is never sent back: its place is free when it is over. Paused before
    its first child, it has not begun: resumed, it asks for a place like any other.
    """

    def __init__(self, working_max: int | None) -> None:
        self._max = working_max
        self._begun: set[str] = set()
        self._waiting: dict[str, Rank] = {}
        self._ranked: list[Rank] = []

    def put(self, order: Working) -> None:
        """Take in an order as it is now."""
        if _has_begun(order.execution):
            self._begun.add(order.order_id)
            self._stop_waiting(order.order_id)
        else:
            self._begun.discard(order.order_id)

    def note(self, order: Working) -> None:
        """Note whether the order's last decision was to queue, or to begin."""
        decided = order.decided
        if self._max is None or decided is None:
            return
        self._stop_waiting(order.order_id)
        if decided.bound == "concurrency":
            self._waiting[order.order_id] = order.rank
            insort(self._ranked, order.rank)
        if any(isinstance(a, Move) and a.status is OrderStatus.WORKING for a in decided.actions):
            # Before it is recorded: the next one decided at this moment must see it.
            self._begun.add(order.order_id)

    def full_for(self, order: Working) -> bool:
        """Whether an order has to wait for a place."""
        if self._max is None or order.order_id in self._begun:
            return False
        better = bisect_left(self._ranked, order.rank)
        # Those that wait and rank before this one have the first claim, whoever asks.
        return len(self._begun) + better >= self._max

    def drop(self, order: Working) -> None:
        """An order is over."""
        self._begun.discard(order.order_id)
        self._stop_waiting(order.order_id)

    def turn(self) -> str | None:
        """The id of the order whose turn it is, where there is a place for one that waits."""
        if self._max is None or len(self._begun) >= self._max:
            return None
        return self._ranked[0][1] if self._ranked else None

    def _stop_waiting(self, order_id: str) -> None:
        rank = self._waiting.pop(order_id, None)
        if rank is not None:
            del self._ranked[bisect_left(self._ranked, rank)]


def _has_begun(execution: Execution) -> bool:
    unsent = execution.status is OrderStatus.PAUSED and execution.next_child == 1
    return execution.status not in _NOT_BEGUN and not unsent
