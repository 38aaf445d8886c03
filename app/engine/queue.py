"""Who may work when an account's orders are more than may work at once (C1)."""

from app.domain.actions import Move
from app.domain.lifecycle import OrderStatus
from app.engine.working import Rank, Working

_NOT_BEGUN = (OrderStatus.ACCEPTED, OrderStatus.SCHEDULED)


class Queue:
    """Counts orders that have begun to work; the others wait by priority, then by age.

    An order that has begun is never sent back: its place is free when it is over.
    """

    def __init__(self, working_max: int | None) -> None:
        self._max = working_max
        self._begun: set[str] = set()
        self._waiting: dict[str, Rank] = {}

    def put(self, order: Working) -> None:
        """Take in an order as it is now."""
        if order.execution.status in _NOT_BEGUN:
            self._begun.discard(order.order_id)
        else:
            self._begun.add(order.order_id)
            self._waiting.pop(order.order_id, None)

    def note(self, order: Working) -> None:
        """Note whether the order's last decision was to queue, or to begin."""
        decided = order.decided
        if self._max is None or decided is None:
            return
        if decided.bound == "concurrency":
            self._waiting[order.order_id] = order.rank
            return
        self._waiting.pop(order.order_id, None)
        if Move(OrderStatus.WORKING) in decided.actions:
            # Before it is recorded: the next one decided at this moment must see it.
            self._begun.add(order.order_id)

    def full_for(self, order: Working) -> bool:
        """Whether an order has to wait for a place."""
        if self._max is None or order.order_id in self._begun:
            return False
        better = sum(rank < order.rank for rank in self._waiting.values())
        # Those that wait and rank before this one have the first claim, whoever asks.
        return len(self._begun) + better >= self._max

    def drop(self, order: Working) -> str | None:
        """An order is over; the id of the one whose turn it is now."""
        self._begun.discard(order.order_id)
        self._waiting.pop(order.order_id, None)
        if self._max is None or len(self._begun) >= self._max:
            return None
        return min(self._waiting, key=self._waiting.__getitem__, default=None)
