"""One owner of the desk: it loads, reconciles, decides, commits, sends, and hears.

Whatever it holds is lost when it dies; the journal is all that the next owner finds. Its memory
of orders is the product's own roster, with its queue and its agenda.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from app.domain.actions import Decision, Send
from app.domain.decide import decide
from app.domain.execution import Execution
from app.domain.fact import ChildCancelRequested, Intended
from app.domain.instant import Instant
from app.domain.market import Market
from app.domain.plan import CATCH_UP_SLICES
from app.domain.quantity import ZERO
from app.engine import facts
from app.engine.leaving import Leaving
from app.engine.roster import Roster
from app.engine.working import Working
from app.ports import Report
from app.store.halts import Halt
from app.store.journal import Entry
from tests.domain.toyworld import fires
from tests.simulation import market
from tests.simulation.asking import Asking
from tests.simulation.booking import Booking
from tests.simulation.faults import Crashed, Frozen
from tests.simulation.house import STARTING, House
from tests.simulation.journal import Stale
from tests.simulation.sending import Sending
from tests.simulation.watch import Violation

MOST_ROUNDS = 60
"""At one moment: more would be a loop."""

Burst = tuple[Working, Execution, Decimal]
"""An order that sends, what it was before this moment, and how much may leave in it."""


class Worker:
    """The owner with one epoch."""

    def __init__(self, house: House, epoch: int) -> None:
        self.house = house
        self.epoch = epoch
        self.dead = False
        self.ready = False
        self.roster = Roster(house.scenario.most_working)
        self.sending = Sending(self)
        self.asking = Asking(self)
        self.books = Booking(self)
        self._timer: Instant | None = None

    # Life

    def start(self) -> None:
        self.deliver(self._load)

    def _load(self) -> None:
        journal = self.house.journal
        self.see_halt()
        for order_id, row in journal.rows.items():
            if not row.execution.done:
                self.reload(order_id)
        self.reach("loaded")
        if self.house.bugs.send_before_reconcile:
            self.ready = True
        self.asking.look_soon(self.house.rng.randint(0, STARTING))

    def deliver(self, do: Callable[..., None], *args: Any) -> None:
        """Run a step of this worker, and what follows from it, unless it is dead; it may die."""
        if self.dead:
            return
        try:
            do(*args)
            self._settle()
        except (Crashed, Frozen):
            self.house.lost(self)

    def reach(self, place: str) -> None:
        if self.house.mischief.take(place):
            self.house.log("crash", place)
            raise Crashed

    # What wakes it

    def notice(self, order_id: str) -> None:
        """The doorbell rang for an order: look at it, and at the switches, as they are now."""
        self.see_halt()
        self.reload(order_id)

    def see_halt(self) -> None:
        halts = {("account", "a1"): Halt("kill")} if self.house.journal.halted else {}
        if halts != self.roster.halts:
            self.roster.halts = halts
            self.roster.wake(list(self.roster.orders), self.house.agenda.now)

    def reload(self, order_id: str) -> None:
        self.roster.remember([self.house.journal.loaded(order_id)], self.house.agenda.now)

    def market_moved(self, symbol: str) -> None:
        for order_id in list(self.roster.index.triggered.get(symbol, ())):
            order = self.roster.orders[order_id]
            assert order.decided is not None, "only a decision has triggers"
            seen = self.market(order)
            if any(
                fires(trigger, seen, order.execution.anchor) for trigger in order.decided.triggers
            ):
                self.roster.wake([order_id], self.house.agenda.now)

    def hear(self, report: Report) -> None:
        self.reach("heard")
        self.books.book([report])
        self.reach("booked")

    def _tick(self) -> None:
        """The time of an order has come; what is due is settled after every step."""
        self._timer = None

    # Deciding

    def market(self, order: Working) -> Market:
        walk = self.house.scenario.walks[order.symbol]
        return market.seen(walk, self.house.shown[order.symbol], order.execution)

    def _settle(self) -> None:
        """Decide until there is nothing left to do at this moment."""
        now, due = self.house.agenda.now, self.roster.next_at()
        if not self.ready or due is None:
            return
        if due <= now:
            self._work(now)
            due = self.roster.next_at()
        if due is not None and (self._timer is None or due < self._timer):
            self._timer = due
            self.house.agenda.at(due, self.deliver, self._tick)

    def _work(self, now: Instant) -> None:
        sending: dict[str, Burst] = {}
        for _ in range(MOST_ROUNDS):
            orders = self.roster.due(now)
            if not orders:
                break
            self._act_on(self._decide_all(orders, sending))
        else:
            raise Violation(f"a loop: {[order.decided for order in orders]}")
        for order, before, allowed in sending.values():
            self.house.watch.burst(before, order.execution, max(allowed, _burst(order)))

    def _decide_all(
        self, orders: Sequence[Working], sending: dict[str, Burst]
    ) -> list[tuple[Working, Decision]]:
        """Decisions that act; who only waits has its next look on the agenda."""
        acting: list[tuple[Working, Decision]] = []
        leaving: list[Leaving] = []
        for order in orders:
            decision = self.decide(order, leaving)
            order.decided = decision
            self.roster.decided(order)
            if decision.actions:
                acting.append((order, decision))
                sends = [action for action in decision.actions if isinstance(action, Send)]
                leaving += [(order.symbol, order.order_id, send) for send in sends]
                if sends:
                    _, before, most = sending.get(order.order_id, (order, order.execution, ZERO))
                    sending[order.order_id] = (order, before, max(most, _burst(order)))
            elif decision.look_at is not None:
                self.roster.wake([order.order_id], decision.look_at)
        return acting

    def decide(self, order: Working, leaving: Sequence[Leaving] = ()) -> Decision:
        order.market = self.market(order)
        self.roster.positions = self.house.positions()
        order.desk = self.roster.facts_for(order, leaving)
        return decide(order.execution, order.plan, order.desk, order.market, self.house.agenda.now)

    def _act_on(self, acting: Sequence[tuple[Working, Decision]]) -> None:
        now = self.house.agenda.now
        for entry in [facts.entry(order, decision, now) for order, decision in acting]:
            self._act(entry)

    def queued(self) -> list[str]:
        """Orders that wait for a place, as this owner knows them."""
        waits = "concurrency"
        found = self.roster.orders.values()
        return [o.order_id for o in found if o.decided is not None and o.decided.bound == waits]

    def idle(self, symbol: str) -> None:
        """Nobody was woken, so nobody may have anything to do: no release is ever missed."""
        if not self.ready:
            return
        self.house.watch.free_place()
        for order in self.roster.orders.values():
            if order.symbol != symbol:
                continue
            again = self.decide(order)
            if again.actions:
                raise Violation(f"I28 slept through {again.actions}, behind {order.decided}")

    def _act(self, entry: Entry) -> None:
        """Commit a decision, then send what it asks for: never the other way round."""
        self.house.between_decision_and_commit(entry.order_id)
        self.reach("decided")
        order = self.roster.orders[entry.order_id]
        intents = [fact for fact in entry.facts if isinstance(fact, Intended)]
        tickets = [self.sending.ticket(order, fact) for fact in intents]
        if self.house.bugs.send_before_intent:
            for ticket in tickets:
                self.sending.send(ticket)
        try:
            if intents:
                self._check_held(order)
            self.books.record(entry)
        except Stale as stale:
            self.house.log("stale", entry.order_id, stale)
            self.see_halt()
            self.reload(entry.order_id)
            return
        self.reach("committed")
        for fact in entry.facts:
            if isinstance(fact, ChildCancelRequested):
                self.house.line.cancel(fact.child_id)
                self.reach("cancel_sent")
        if not self.house.bugs.send_before_intent:
            for ticket in tickets:
                self.sending.send(ticket)

    def _check_held(self, order: Working) -> None:
        """As in the intent's transaction: somebody's fill may have moved the position. Raises
        Stale."""
        held = self.house.positions().get(order.symbol, ZERO)
        if order.desk.held is not None and held != order.desk.held:
            raise Stale("position")


def _burst(order: Working) -> Decimal:
    """How much more may be out after one moment than before it (C17)."""
    plan, task = order.plan, order.execution.task
    willing = task.params.get("would_price") is not None
    return CATCH_UP_SLICES * plan.largest if plan.spreads and not willing else task.qty
