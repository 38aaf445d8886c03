"""A desk's open orders: what it remembers of them, and what they owe each other."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from app.domain.actions import Send
from app.domain.execution import Child, Execution
from app.domain.guards import Desk as DeskFacts
from app.domain.instant import Instant
from app.domain.quantity import Side
from app.engine.agenda import Agenda
from app.engine.index import Index
from app.engine.queue import Queue
from app.engine.working import Working
from app.store.controls import halt_for
from app.store.journal import Recorded
from app.store.open_orders import Loaded

Leaving = tuple[str, str, Send]
"""A child on its way out: symbol, order id, and what is sent."""


class Roster:
    """Open orders by id, and when each is due.

    `working_max` is how many may work at once (None: any number); the others queue by priority.
    """

    def __init__(self, working_max: int | None = None) -> None:
        self.orders: dict[str, Working] = {}
        self.halts: Mapping[tuple[str, str], str] = {}
        self.index = Index()
        self._agenda = Agenda()
        self._queue = Queue(working_max)

    @property
    def executions(self) -> list[Execution]:
        return [order.execution for order in self.orders.values()]

    @property
    def unknown(self) -> bool:
        """Whether some child's fate is not known."""
        return bool(self.index.unknown)

    def of_child(self, child_id: str) -> Working | None:
        """The open order that a live child belongs to."""
        order_id = self.index.owners.get(child_id)
        return self.orders.get(order_id) if order_id is not None else None

    def children(self) -> list[Child]:
        """Every live child."""
        return [child for order in self.orders.values() for child in order.execution.children]

    def known(self, order_ids: Iterable[str]) -> dict[str, tuple[int, Execution]]:
        """What is remembered of these orders, for the journal to start from."""
        found = ((order_id, self.orders.get(order_id)) for order_id in order_ids)
        return {order_id: (o.version, o.execution) for order_id, o in found if o is not None}

    def wake(self, order_ids: Iterable[str], at: Instant) -> None:
        """Look at these orders at `at`; those that are not open are left out."""
        for order_id in order_ids:
            if order_id in self.orders:
                self._agenda.push(order_id, at)

    def due(self, now: Instant, at_most: int | None = None) -> list[Working]:
        """Orders to be looked at, those of higher priority first, then the older."""
        popped = self._agenda.pop(now, at_most)
        found = [self.orders[i] for i in popped if i in self.orders]
        return sorted(found, key=lambda order: order.rank)

    def next_at(self) -> Instant | None:
        return self._agenda.next_at()

    def remember(self, loaded: Iterable[Loaded], now: Instant) -> None:
        """Take in orders as the journal has them, and look at each now."""
        for order in loaded:
            execution = order.execution
            order_id = execution.task.order_id
            known = self.orders.get(order_id)
            if execution.done:
                self._forget(order_id, now)
                continue
            if known is None:
                known = self.orders[order_id] = Working(
                    execution=execution,
                    version=order.version,
                    strategy=order.strategy,
                    arrival_mid=order.arrival_mid,
                    filled_notional=order.filled_notional,
                    priority=order.priority,
                )
            else:
                known.become(execution, order.version)
                known.filled_notional = order.filled_notional
            self._keep(known)
            self.wake([order_id], now)

    def take_over(self, recorded: Sequence[Recorded], now: Instant) -> list[Working]:
        """Believe what was just recorded; the orders it touched, finished ones among them."""
        touched = []
        for result in recorded:
            order = self.orders.get(result.order_id)
            if order is None:
                continue
            order.become(result.execution, result.version)
            order.count(result.booked, result.busted)
            touched.append(order)
            self.wake(self.index.held_back(order), now)
            if result.execution.done:
                self._forget(result.order_id, now)
            else:
                self._keep(order)
                self.wake([result.order_id], now)
        return touched

    def decided(self, order: Working) -> None:
        """Note what the order's last decision waits for."""
        self.index.put_waiting(order)
        self._queue.note(order)

    def facts_for(self, order: Working, leaving: Sequence[Leaving] = ()) -> DeskFacts:
        """What the account contributes to a decision about one of its orders.

        `leaving` are children decided at this very moment that no order holds yet.
        """
        return DeskFacts(
            halt=halt_for(self.halts, symbol=order.symbol, strategy=order.strategy)
            if self.halts
            else None,
            own_bid=self._best_own(order, Side.BUY, leaving),
            own_ask=self._best_own(order, Side.SELL, leaving),
            queued=self._queue.full_for(order),
        )

    def _best_own(self, order: Working, side: Side, leaving: Sequence[Leaving]) -> Decimal | None:
        prices = self.index.resting_prices(order, side)
        prices += [
            send.price
            for symbol, order_id, send in leaving
            if symbol == order.symbol and order_id != order.order_id and send.side is side
        ]
        if not prices:
            return None
        return max(prices) if side is Side.BUY else min(prices)

    def _keep(self, order: Working) -> None:
        self.index.put(order)
        self._queue.put(order)

    def _forget(self, order_id: str, now: Instant) -> None:
        order = self.orders.pop(order_id, None)
        self._agenda.forget(order_id)
        if order is not None:
            self.index.drop(order)
            freed = self._queue.drop(order)
            self.wake([freed] if freed is not None else [], now)
