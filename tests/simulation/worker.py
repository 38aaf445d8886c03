"""One owner of the desk: it loads, reconciles, decides, commits, sends, and hears.

Whatever it holds is lost when it dies; the journal is all that the next owner finds.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from app.domain.actions import Action, Cancel, Move, Replan, Send
from app.domain.decide import decide
from app.domain.execution import Child
from app.domain.fact import (
    ChildCancelRequested,
    ChildFact,
    Fact,
    Intended,
    Moved,
    Replanned,
)
from app.domain.guards import Desk
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market
from app.domain.plan import CATCH_UP_SLICES
from app.ports import Report
from tests.domain.toyworld import fires
from tests.simulation import market
from tests.simulation.asking import Asking
from tests.simulation.faults import Crashed, Frozen
from tests.simulation.house import STARTING, House
from tests.simulation.inbox import facts_of, waits_for_fills
from tests.simulation.journal import Entry, Stale
from tests.simulation.memory import Held, desk_for
from tests.simulation.sending import Sending
from tests.simulation.watch import Violation

MOST_DECISIONS = 60
"""At one moment: more would be a loop."""


class Worker:
    """The owner with one epoch."""

    def __init__(self, house: House, epoch: int) -> None:
        self.house = house
        self.epoch = epoch
        self.dead = False
        self.ready = False
        self.held: dict[str, Held] = {}
        self.sending = Sending(self)
        self.asking = Asking(self)

    # Life

    def start(self) -> None:
        self.deliver(self._load)

    def _load(self) -> None:
        for order_id, row in self.house.journal.rows.items():
            if not row.execution.done:
                self.held[order_id] = Held(row.execution, row.version)
        self.reach("loaded")
        if self.house.bugs.send_before_reconcile:
            self.begin()
        self.asking.look_soon(self.house.rng.randint(0, STARTING))

    def begin(self) -> None:
        """Everything is known that the broker could tell: decisions may begin."""
        self.ready = True
        for held in list(self.held.values()):
            self.settle(held)

    def deliver(self, do: Callable[..., None], *args: Any) -> None:
        """Run a step of this worker, unless it is dead; it may die in it."""
        if self.dead:
            return
        try:
            do(*args)
        except Crashed:
            self.house.lost(self)
        except Frozen:
            self.house.lost(self)

    def reach(self, place: str) -> None:
        if self.house.mischief.take(place):
            self.house.log("crash", place)
            raise Crashed

    # Deciding

    def notice(self, order_id: str) -> None:
        """The doorbell rang for an order: look at it as it is now."""
        row = self.house.journal.rows[order_id]
        held = self.held.get(order_id)
        if held is None:
            if row.execution.done:
                return
            held = self.held[order_id] = Held(row.execution, row.version)
        self._reload(held)
        self.settle(held)

    def market_moved(self, symbol: str) -> None:
        for held in list(self.held.values()):
            triggers = held.decision.triggers
            if triggers and held.symbol == symbol:
                seen = self.market(held)
                if any(fires(trigger, seen) for trigger in triggers):
                    self.settle(held)

    def woken(self, held: Held, wake: int) -> None:
        if held.wakes == wake:
            self.settle(held)

    def market(self, held: Held) -> Market:
        walk = self.house.scenario.walks[held.symbol]
        return market.seen(walk, self.house.shown[held.symbol], held.execution.task.start)

    def settle(self, held: Held) -> None:
        """Decide until there is nothing left to do at this moment."""
        if not self.ready:
            return
        held.wakes += 1
        before, allowed = held.execution, self._burst(held)
        house, now = self.house, self.house.agenda.now
        for _ in range(MOST_DECISIONS):
            decision = decide(held.execution, held.plan(), self.desk(held), self.market(held), now)
            held.decision = decision
            if not decision.actions:
                break
            self._act(held, decision.actions)
            allowed = max(allowed, self._burst(held))
        else:
            raise Violation(f"a loop in {held.order_id}: {held.decision}")
        house.watch.burst(before, held.execution, allowed)
        if held.decision.look_at is not None:
            house.agenda.at(held.decision.look_at, self.deliver, self.woken, held, held.wakes)
        self._tell_siblings(held)

    @staticmethod
    def _burst(held: Held) -> Decimal:
        """How much more may be out after one moment than before it (C17)."""
        plan = held.plan()
        return CATCH_UP_SLICES * plan.largest if len(plan.steps) > 1 else held.execution.task.qty

    def idle(self, symbol: str) -> None:
        """Nobody was woken, so nobody may have anything to do: no release is ever missed."""
        for held in self.held.values():
            if held.symbol != symbol or not self.ready:
                continue
            now = self.house.agenda.now
            again = decide(held.execution, held.plan(), self.desk(held), self.market(held), now)
            if again.actions and again.actions != held.decision.actions:
                raise Violation(f"I28 slept through {again.actions}, behind {held.decision}")

    def desk(self, held: Held) -> Desk:
        siblings = [h for h in self.held.values() if h.symbol == held.symbol]
        most = self.house.scenario.most_working
        working = OrderStatus.WORKING
        full = most is not None and most <= sum(
            row.execution.status is working
            for order_id, row in self.house.journal.rows.items()
            if order_id != held.order_id
        )
        return desk_for(held, siblings, self.house.journal.halted, full)

    def _tell_siblings(self, held: Held) -> None:
        """Those who wait for this order's children, or for its place, look again."""
        (old, was), execution = held.told, held.execution
        held.told = execution.children, execution.status
        children = old != execution.children
        left = was is OrderStatus.WORKING and execution.status is not was
        if not (children or left):
            return
        now = self.house.agenda.now
        for other in self.held.values():
            if other is held:
                continue
            sibling = children and other.waits_for_siblings and other.symbol == held.symbol
            if sibling or (left and other.decision.bound == "concurrency"):
                self.house.agenda.at(now, self.deliver, self.woken, other, other.wakes)

    def _act(self, held: Held, actions: Sequence[Action]) -> None:
        """Commit a decision, then send what it asks for: never the other way round."""
        self.house.between_decision_and_commit(held.order_id)
        self.reach("decided")
        facts = [self.fact(held, action) for action in actions]
        tickets = [self.sending.ticket(held, f) for f in facts if isinstance(f, Intended)]
        if self.house.bugs.send_before_intent:
            for ticket in tickets:
                self.sending.send(ticket)
        try:
            self.record(held.order_id, facts, held.version)
        except Stale as stale:
            self.house.log("stale", held.order_id, stale)
            self._reload(held)
            return
        self.reach("committed")
        for fact in facts:
            if isinstance(fact, ChildCancelRequested):
                self.house.line.cancel(fact.child_id)
                self.reach("cancel_sent")
        if not self.house.bugs.send_before_intent:
            for ticket in tickets:
                self.sending.send(ticket)

    def fact(self, held: Held, action: Action) -> Fact:
        now = self.house.agenda.now
        match action:
            case Move():
                return Moved(now, action.status, action.reason)
            case Replan():
                return Replanned(now, action.done, action.reason)
            case Cancel():
                return ChildCancelRequested(now, action.child_id, action.reason)
            case Send():
                number = held.execution.next_child
                return Intended(
                    now,
                    f"{held.order_id}-{number}",
                    number,
                    action.side,
                    action.qty,
                    action.price,
                    action.purpose,
                    action.time_in_force,
                    action.quote_at,
                )

    # Hearing

    def hear(self, report: Report) -> None:
        self.reach("heard")
        self.book([report])
        self.reach("booked")

    def book(self, reports: Sequence[Report]) -> None:
        """Everything a broker tells comes through here, from its stream and its lists alike.

        Decided is once all of it is booked: what a bust takes back must not end an order first.
        """
        touched: dict[str, None] = {}
        for report in reports:
            child = self.child(report.child_id)
            if waits_for_fills(report, child) and not self.house.bugs.end_before_late_fill:
                self.asking.keep(report)
                continue
            facts = facts_of(report, child, self.house.journal.bookings)
            if facts and self.record(self.house.journal.owner[report.child_id], facts, None):
                touched[report.child_id] = None
        for child_id in touched:
            self._look_at(child_id)

    def child(self, child_id: str) -> Child:
        journal = self.house.journal
        return journal.rows[journal.owner[child_id]].children[child_id]

    def tell(self, facts: Sequence[ChildFact]) -> None:
        """Book facts about one child, and let its order look at them."""
        child_id = facts[0].child_id
        if self.record(self.house.journal.owner[child_id], facts, None):
            self._look_at(child_id)

    def _look_at(self, child_id: str) -> None:
        held = self.held.get(self.house.journal.owner[child_id])
        if held is not None:
            self.settle(held)
        self.asking.news(child_id)

    def record(self, order_id: str, facts: Sequence[Fact], version: int | None) -> bool:
        epoch = None if version is None else self.epoch
        entry = Entry(order_id, facts, version, epoch)
        changed = self.house.record(entry, self)
        held = self.held.get(order_id)
        if held is not None:
            self._reload(held)
        return changed

    def _reload(self, held: Held) -> None:
        row = self.house.journal.rows[held.order_id]
        held.execution, held.version = row.execution, row.version
        if row.execution.done:
            self.held.pop(held.order_id, None)
