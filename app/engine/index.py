"""Where to find a desk's orders without looking through all of them."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from app.domain.execution import Child
from app.domain.fact import Purpose
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.message_rate import following_of
from app.domain.quantity import ZERO, Side
from app.engine.working import Working

Resting = tuple[Decimal, str, str]
"""How far from the best a child rests (the sign of its side turned round times its price), its
order, and itself: the smallest is the best of a side."""


class Index:
    """Kept beside the orders; all of it follows from them.

    `owners` is live child → order; `unknown`, `canceling` and `closing` are ids of orders with
    such children or in such a state; `triggered` those that wait for the market, by symbol;
    `flattening` those that close positions for a kill switch; `reducing` those that only reduce;
    `urgent` those that take risk away at once, by symbol.
    """

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.unknown: set[str] = set()
        self.canceling: set[str] = set()
        self.closing: set[str] = set()
        self.following = 0
        """How many children follow the market, an order without any counting as one."""
        self._following: dict[str, int] = {}
        self.flattening: set[str] = set()
        self.reducing: defaultdict[str, set[str]] = defaultdict(set)
        self.urgent: defaultdict[str, set[str]] = defaultdict(set)
        self.triggered: defaultdict[str, set[str]] = defaultdict(set)
        self._self_matched: defaultdict[str, set[str]] = defaultdict(set)
        self._resting: defaultdict[tuple[str, Side], list[Resting]] = defaultdict(list)
        self._auctioned: defaultdict[tuple[str, Side], set[str]] = defaultdict(set)
        self._stops: defaultdict[tuple[str, Side], set[str]] = defaultdict(set)
        self._children: dict[str, tuple[Child, ...]] = {}
        self._reserved: defaultdict[tuple[str, Side], dict[str, Decimal]] = defaultdict(dict)

    def put(self, order: Working) -> None:
        """Take in an order as it is now."""
        children = order.execution.children
        order_id = order.order_id
        _mark(self.unknown, order_id, any(c.status is ChildStatus.UNKNOWN for c in children))
        _mark(self.canceling, order_id, any(c.cancel_requested_at is not None for c in children))
        _mark(self.closing, order_id, order.execution.status is OrderStatus.CLOSING)
        self._count_following(order_id, following_of(order.execution))
        _mark(self.flattening, order_id, order.flattens)
        _mark(self.reducing[order.symbol], order_id, order.execution.task.reduce_only)
        _mark(self.urgent[order.symbol], order_id, order.urgent)
        self._reserved[order.symbol, order.execution.task.side][order_id] = order.execution.reserved
        self._put_children(order, children)

    def put_waiting(self, order: Working) -> None:
        """Take in what the order's last decision waits for."""
        decided = order.decided
        waits = decided is not None and bool(decided.triggers)
        matched = decided is not None and decided.own
        _mark(self.triggered[order.symbol], order.order_id, waits)
        _mark(self._self_matched[order.symbol], order.order_id, matched)

    def drop(self, order: Working) -> None:
        """Forget an order."""
        for ids in (self.unknown, self.canceling, self.closing, self.flattening):
            ids.discard(order.order_id)
        self.reducing[order.symbol].discard(order.order_id)
        self.urgent[order.symbol].discard(order.order_id)
        self._reserved[order.symbol, order.execution.task.side].pop(order.order_id, None)
        self.triggered[order.symbol].discard(order.order_id)
        self._self_matched[order.symbol].discard(order.order_id)
        self._count_following(order.order_id, 0)
        self._put_children(order, ())

    def held_back(self, changed: Working) -> list[str]:
        """Orders that waited for another of the same account and symbol: they may go on."""
        waiting = self._self_matched[changed.symbol]
        return [order_id for order_id in waiting if order_id != changed.order_id]

    def reserved(self, order: Working) -> Decimal:
        """What other orders of the same symbol may still fill on the same side. For a kill switch
        only those count that reduce as well: what else is there is not to hold it up."""
        there = self._reserved[order.symbol, order.execution.task.side]
        counted = there.keys() & self.reducing[order.symbol] if order.flattens else there.keys()
        return sum((there[i] for i in counted if i != order.order_id), start=ZERO)

    def opposed(self, order: Working) -> Iterator[str]:
        """Open orders of the same symbol on the other side."""
        yield from self._reserved[order.symbol, order.execution.task.side.other]

    def best_resting(self, order: Working, side: Side) -> Decimal | None:
        """The best price at which another order of the same symbol rests."""
        for distance, order_id, _ in self._resting[order.symbol, side]:
            if order_id != order.order_id:
                return -side.sign * distance
        return None

    def resting_within(
        self, order: Working, side: Side, price: Decimal
    ) -> Iterator[tuple[str, str]]:
        """Order and child of what others of the same symbol rest at `price` or better."""
        for distance, order_id, child_id in self._resting[order.symbol, side]:
            if distance > -side.sign * price:
                return
            if order_id != order.order_id:
                yield order_id, child_id

    def auctioned(self, order: Working) -> frozenset[Side]:
        """The sides on which other orders of the same symbol are in the closing auction."""
        return frozenset(
            side for side in Side if self._auctioned[order.symbol, side] - {order.order_id}
        )

    def stop_against(self, order: Working) -> bool:
        """Whether another order of the same symbol has a stop at the broker on the other side."""
        return bool(self._stops[order.symbol, order.execution.task.side.other] - {order.order_id})

    def _count_following(self, order_id: str, count: int) -> None:
        self.following += count - self._following.pop(order_id, 0)
        if count:
            self._following[order_id] = count

    def _put_children(self, order: Working, children: tuple[Child, ...]) -> None:
        before = self._children.pop(order.order_id, ())
        if children:
            self._children[order.order_id] = children
        for child in before:
            self.owners.pop(child.id, None)
        for child in children:
            self.owners[child.id] = order.order_id
        closes = any(child.purpose is Purpose.CLOSE for child in children)
        _mark(self._auctioned[order.symbol, order.execution.task.side], order.order_id, closes)
        stops = any(child.stop_price is not None for child in children)
        _mark(self._stops[order.symbol, order.execution.task.side], order.order_id, stops)
        was, now = _resting(before), _resting(children)
        for child_id in was.keys() - now.keys():
            rests = self._resting[order.symbol, was[child_id].side]
            del rests[bisect_left(rests, _place(order, was[child_id]))]
        for child_id in now.keys() - was.keys():
            insort(self._resting[order.symbol, now[child_id].side], _place(order, now[child_id]))


def _resting(children: tuple[Child, ...]) -> dict[str, Child]:
    """Those in the book: a stop that rests alone is in none."""
    return {c.id: c for c in children if c.purpose is Purpose.REST and not c.stops_alone}


def _place(order: Working, child: Child) -> Resting:
    return (-child.side.sign * child.price, order.order_id, child.id)


def _mark(ids: set[str], order_id: str, belongs: bool) -> None:
    if belongs:
        ids.add(order_id)
    else:
        ids.discard(order_id)
