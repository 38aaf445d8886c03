"""Where to find a desk's orders without looking through all of them."""

from collections import defaultdict
from decimal import Decimal

from app.domain.execution import Child
from app.domain.fact import Purpose
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.quantity import Side
from app.engine.working import Working


class Index:
    """Kept beside the orders; all of it follows from them.

    `owners` is live child → order; `unknown`, `canceling` and `closing` are ids of orders with
    such children or in such a state; `triggered` those that wait for the market, by symbol.
    """

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.unknown: set[str] = set()
        self.canceling: set[str] = set()
        self.closing: set[str] = set()
        self.triggered: defaultdict[str, set[str]] = defaultdict(set)
        self._self_matched: defaultdict[str, set[str]] = defaultdict(set)
        self._resting: defaultdict[str, dict[str, tuple[Child, ...]]] = defaultdict(dict)
        self._children: dict[str, tuple[Child, ...]] = {}

    def put(self, order: Working) -> None:
        """Take in an order as it is now."""
        children = order.execution.children
        order_id = order.order_id
        _mark(self.unknown, order_id, any(c.status is ChildStatus.UNKNOWN for c in children))
        _mark(self.canceling, order_id, any(c.cancel_requested_at is not None for c in children))
        _mark(self.closing, order_id, order.execution.status is OrderStatus.CLOSING)
        self._put_children(order, children)

    def put_waiting(self, order: Working) -> None:
        """Take in what the order's last decision waits for."""
        decided = order.decided
        waits = decided is not None and bool(decided.triggers)
        matched = decided is not None and decided.bound == "self_match"
        _mark(self.triggered[order.symbol], order.order_id, waits)
        _mark(self._self_matched[order.symbol], order.order_id, matched)

    def drop(self, order: Working) -> None:
        """Forget an order."""
        for ids in (self.unknown, self.canceling, self.closing):
            ids.discard(order.order_id)
        self.triggered[order.symbol].discard(order.order_id)
        self._self_matched[order.symbol].discard(order.order_id)
        self._put_children(order, ())

    def held_back(self, changed: Working) -> list[str]:
        """Orders that waited for another of the same account and symbol: they may go on."""
        waiting = self._self_matched[changed.symbol]
        return [order_id for order_id in waiting if order_id != changed.order_id]

    def resting_prices(self, order: Working, side: Side) -> list[Decimal]:
        """Where other orders of the same symbol rest."""
        return [
            child.price
            for order_id, children in self._resting[order.symbol].items()
            if order_id != order.order_id
            for child in children
            if child.side is side
        ]

    def _put_children(self, order: Working, children: tuple[Child, ...]) -> None:
        before = self._children.pop(order.order_id, ())
        if children:
            self._children[order.order_id] = children
        for child in before:
            self.owners.pop(child.id, None)
        for child in children:
            self.owners[child.id] = order.order_id
        resting = tuple(c for c in children if c.purpose is Purpose.REST)
        if resting:
            self._resting[order.symbol][order.order_id] = resting
        else:
            self._resting[order.symbol].pop(order.order_id, None)


def _mark(ids: set[str], order_id: str, belongs: bool) -> None:
    if belongs:
        ids.add(order_id)
    else:
        ids.discard(order_id)
