"""A desk's open orders: what it remembers of them, and what they owe each other."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from app.domain.actions import Send
from app.domain.execution import Execution
from app.domain.fact import Purpose
from app.domain.guards import Desk as DeskFacts
from app.domain.instant import Instant
from app.domain.quantity import Side
from app.engine.agenda import Agenda
from app.engine.working import Working, plan_for
from app.store.controls import halt_for
from app.store.journal import Recorded
from app.store.open_orders import Loaded

Leaving = tuple[str, str, Send]
"""A child on its way out: symbol, order id, and what is sent."""


class Roster:
    """Open orders by id, and when each is due."""

    def __init__(self) -> None:
        self.orders: dict[str, Working] = {}
        self.halts: Mapping[tuple[str, str], str] = {}
        self._agenda = Agenda()

    @property
    def executions(self) -> list[Execution]:
        return [order.execution for order in self.orders.values()]

    @property
    def unknown(self) -> bool:
        """Whether some child's fate is not known."""
        return any(order.execution.unknown > 0 for order in self.orders.values())

    def of_child(self, child_id: str) -> Working | None:
        """The open order that a live child belongs to."""
        mine = (o for o in self.orders.values() if o.execution.child(child_id) is not None)
        return next(mine, None)

    def wake(self, order_ids: Iterable[str], at: Instant) -> None:
        """Look at these orders at `at`; those that are not open are left out."""
        for order_id in order_ids:
            if order_id in self.orders:
                self._agenda.push(order_id, at)

    def due(self, now: Instant) -> list[Working]:
        return [self.orders[i] for i in self._agenda.pop(now) if i in self.orders]

    def next_at(self) -> Instant | None:
        return self._agenda.next_at()

    def remember(self, loaded: Iterable[Loaded], now: Instant) -> None:
        """Take in orders as the journal has them, and look at each now."""
        for order in loaded:
            execution = order.execution
            order_id = execution.task.order_id
            known = self.orders.get(order_id)
            if execution.done:
                self._forget(order_id)
            elif known is not None:
                known.become(execution, order.version)
                known.filled_notional = order.filled_notional
            else:
                self.orders[order_id] = Working(
                    execution=execution,
                    version=order.version,
                    plan=plan_for(execution.task, execution.anchor),
                    strategy=order.strategy,
                    arrival_mid=order.arrival_mid,
                    filled_notional=order.filled_notional,
                )
            self.wake([order_id], now)

    def take_over(self, recorded: Sequence[Recorded], now: Instant) -> list[Working]:
        """Believe what was just recorded; the orders it touched, finished ones among them."""
        touched = []
        for result in recorded:
            order = self.orders.get(result.order_id)
            if order is None:
                continue
            order.become(result.execution, result.version)
            for fill in result.booked:
                order.filled_notional += fill.qty * fill.price
                order.behind_since = None
            touched.append(order)
            if result.execution.done:
                self._forget(result.order_id)
            self.wake([result.order_id], now)
            self._free_held_back(order, now)
        return touched

    def facts_for(self, order: Working, leaving: Sequence[Leaving] = ()) -> DeskFacts:
        """What the account contributes to a decision about one of its orders.

        `leaving` are children decided at this very moment that no order holds yet.
        """
        return DeskFacts(
            halt=halt_for(self.halts, symbol=order.symbol, strategy=order.strategy),
            own_bid=self._best_own(order, Side.BUY, leaving),
            own_ask=self._best_own(order, Side.SELL, leaving),
        )

    def _best_own(self, order: Working, side: Side, leaving: Sequence[Leaving]) -> Decimal | None:
        prices = [
            child.price
            for other in self.orders.values()
            if other is not order and other.symbol == order.symbol
            for child in other.execution.children
            if child.side is side and child.purpose is Purpose.REST
        ]
        prices += [
            send.price
            for symbol, order_id, send in leaving
            if symbol == order.symbol and order_id != order.order_id and send.side is side
        ]
        if not prices:
            return None
        return max(prices) if side is Side.BUY else min(prices)

    def _free_held_back(self, changed: Working, now: Instant) -> None:
        """An order that waited for another of the same account may go on."""
        for other in self.orders.values():
            held = other.decided is not None and other.decided.bound is not None
            if held and other is not changed and other.symbol == changed.symbol:
                self.wake([other.order_id], now)

    def _forget(self, order_id: str) -> None:
        self.orders.pop(order_id, None)
        self._agenda.forget(order_id)
