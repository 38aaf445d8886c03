"""A desk's open orders: what it remembers of them, and what they owe each other."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from app.domain.desk import Desk as DeskFacts
from app.domain.execution import Child, Execution
from app.domain.fact import Purpose
from app.domain.instant import Instant, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.message_rate import pause_of
from app.domain.quantity import ZERO, Side
from app.domain.reducing import given_way
from app.engine.agenda import Agenda
from app.engine.index import Index
from app.engine.leaving import Leaving, entering, stops_leave
from app.engine.queue import Queue
from app.engine.working import EXIT, FLATTEN, Working
from app.store.controls import Switch
from app.store.halts import Halts, halt_for
from app.store.journal import Recorded
from app.store.open_orders import Loaded


class Roster:
    """Open orders by id, and when each is due.

    `working_max` is how many may work at once (None: any number); the others queue by priority.
    """

    def __init__(self, working_max: int | None = None, *, self_match: bool = False) -> None:
        self._self_match = self_match
        self.orders: dict[str, Working] = {}
        self.halts: Halts = {}
        self.flattening: Sequence[Switch] = ()
        self.positions: Mapping[str, Decimal] = {}
        """What the account holds, for orders that only reduce; read before they are decided."""
        self.netted: Collection[str] = ()
        """Exits whose position others of the account hold against; read together with it."""
        self.grouped = True
        """Whether something happened since to an order that has exits, or is one."""
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

    def canceling(self) -> list[Execution]:
        """All that have a child whose cancel was asked for and is without evidence."""
        return [self.orders[order_id].execution for order_id in self.index.canceling]

    def known(self, order_ids: Iterable[str]) -> dict[str, tuple[int, Execution]]:
        """What is remembered of these orders, for the journal to start from."""
        found = ((order_id, self.orders.get(order_id)) for order_id in order_ids)
        return {order_id: (o.version, o.execution) for order_id, o in found if o is not None}

    def known_by_child(self, child_ids: Iterable[str]) -> dict[str, tuple[int, Execution]]:
        """The same of the orders that these live children belong to."""
        return self.known({o for c in child_ids if (o := self.index.owners.get(c)) is not None})

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
                self._wake_reducing(execution, now)
                continue
            if known is None:
                known = self.orders[order_id] = Working(
                    execution=execution,
                    version=order.version,
                    strategy=order.strategy,
                    arrival_mid=order.arrival_mid,
                    filled_notional=order.filled_notional,
                    priority=order.priority,
                    role=order.role,
                    group_id=order.group_id,
                )
            else:
                known.become(execution, order.version)
                known.filled_notional = order.filled_notional
            self._keep(known, now)
            self.wake([order_id], now)
            self._wake_reducing(execution, now)

    def take_over(self, recorded: Sequence[Recorded], now: Instant) -> list[Working]:
        """Believe what was just recorded; the orders it touched, finished ones among them."""
        touched = []
        for result in recorded:
            order = self.orders.get(result.order_id)
            if order is None or order.group_id is not None:
                self.grouped = True
            if order is None:
                self._wake_reducing(result.execution, now)
                continue
            order.become(result.execution, result.version)
            order.count(result.booked, result.busted)
            touched.append(order)
            self.wake(self.index.held_back(order), now)
            self._wake_reducing(order.execution, now)
            if result.execution.done:
                self._forget(result.order_id, now)
            else:
                self._keep(order, now)
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
        reduces = order.execution.task.reduce_only
        return DeskFacts(
            halt=self._halt(order),
            own_bid=self._best_own(order, Side.BUY, leaving),
            own_ask=self._best_own(order, Side.SELL, leaving),
            queued=order.queues and self._queue.full_for(order),
            auctioned=self.index.auctioned(order) | entering(order, leaving),
            held=self.positions.get(order.symbol, ZERO) if reduces else None,
            reducing=self._reducing(order, leaving) if reduces else ZERO,
            netted=order.order_id in self.netted,
            own_stop=self.index.stop_against(order) or stops_leave(order, leaving),
        )

    def held_up(self) -> list[Working]:
        """Urgent orders that decided to wait for another of the account."""
        found = [self.orders[i] for ids in self.index.urgent.values() for i in ids]
        return [order for order in found if order.decided is not None and order.decided.own]

    def in_the_way(self, order: Working) -> list[tuple[str, str]]:
        """Order and child of what rests where the order would trade with it."""
        price = _takes(order)
        other = order.execution.task.side.other
        return [] if price is None else list(self.index.resting_within(order, other, price))

    def opposed(self, order: Working) -> bool:
        """Whether another order may trade on the other side of the symbol: a stop of this one would
        close what that one goes on opening, and brokers refuse the two beside each other."""
        others = (self.orders[order_id] for order_id in self.index.opposed(order))
        return any(o.execution.reserved > 0 or (_sends(o) and not self._halt(o)) for o in others)

    def pause_for(self, order: Working, cancels_per_second: int | None) -> Micros:
        """How long a child of the order stands before it is moved: so many share the rate."""
        following = self.index.following
        order.pause = pause_of(order.execution, order.pause, following, cancels_per_second)
        return order.pause

    def _halt(self, order: Working) -> str | None:
        """What forbids new children. An order that flattens passes every halt, for as long as a
        switch asks for it."""
        symbol, strategy = order.symbol, order.strategy
        if not order.flattens:
            if not self.halts:
                return None
            reduces = order.execution.task.reduce_only
            return halt_for(self.halts, symbol=symbol, strategy=strategy, reduces=reduces)
        account = order.execution.task.account
        asked = (
            switch.bears_on(account=account, symbol=symbol, strategy=strategy)
            for switch in self.flattening
        )
        return None if any(asked) else "released"

    def _reducing(self, order: Working, leaving: Sequence[Leaving]) -> Decimal:
        side, reduce = order.execution.task.side, self.index.reducing[order.symbol]
        on_their_way = (
            send.qty
            for symbol, order_id, send in leaving
            if symbol == order.symbol
            and order_id != order.order_id
            and send.side is side
            and (order_id in reduce or not order.flattens)
        )
        counted = sum(on_their_way, start=self.index.reserved(order))
        return counted + self._given_way(order) if order.role == EXIT else counted

    def _given_way(self, order: Working) -> Decimal:
        others = (self.orders[i] for i in self.index.reducing[order.symbol])
        return given_way(
            order.execution,
            (
                other.execution
                for other in others
                if other.role not in (EXIT, FLATTEN)
                and other.execution.status is OrderStatus.WORKING
            ),
        )

    def _best_own(self, order: Working, side: Side, leaving: Sequence[Leaving]) -> Decimal | None:
        if self._self_match:
            return None
        resting = self.index.best_resting(order, side)
        prices = [] if resting is None else [resting]
        prices += [
            send.price
            for symbol, order_id, send in leaving
            if symbol == order.symbol
            and order_id != order.order_id
            and send.side is side
            and send.purpose is not Purpose.CLOSE
        ]
        prices += self._claimed(order, side)
        if not prices:
            return None
        return max(prices) if side is Side.BUY else min(prices)

    def _claimed(self, order: Working, side: Side) -> Iterator[Decimal]:
        """What urgent orders of the side are about to take: until they have it nobody of the
        account may come between."""
        if order.urgent:
            return
        for order_id in self.index.urgent[order.symbol]:
            urgent = self.orders[order_id]
            if urgent.execution.task.side is side and (price := _takes(urgent)) is not None:
                yield price

    def _keep(self, order: Working, now: Instant) -> None:
        self.index.put(order)
        self._queue.put(order)
        self._wake_next(now)

    def _forget(self, order_id: str, now: Instant) -> None:
        order = self.orders.pop(order_id, None)
        self._agenda.forget(order_id)
        if order is not None:
            self.index.drop(order)
            self._queue.drop(order)
            self._wake_next(now)

    def _wake_reducing(self, changed: Execution, now: Instant) -> None:
        """Whatever changes in a symbol may change what is left to reduce there."""
        reducing = self.index.reducing.get(changed.task.instrument.symbol, ())
        self.wake([i for i in reducing if i != changed.task.order_id], now)

    def _wake_next(self, now: Instant) -> None:
        """Have the order decide for which there is a place now."""
        turn = self._queue.turn()
        self.wake([turn] if turn is not None else [], now)


def _takes(order: Working) -> Decimal | None:
    """The price that an order which crosses would take, as its last decision saw the market."""
    quote, working = order.market.quote, order.execution.status is OrderStatus.WORKING
    return quote.far(order.execution.task.side) if quote is not None and working else None


def _sends(order: Working) -> bool:
    """Whether it has more to send."""
    return order.execution.status is OrderStatus.WORKING and order.execution.unsent > 0
