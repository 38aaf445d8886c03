"""One simulated day: the market, the broker, the journal, and whoever owns the desk."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

from app.domain.actions import Send
from app.domain.execution import accepted
from app.domain.fact import Fact, Filled, Intended
from app.domain.instant import MINUTE, SECOND, Instant, Micros
from app.domain.quantity import ZERO
from app.domain.recovery import Means
from app.domain.task import Task
from app.engine import facts
from app.engine.leaving import Leaving
from app.ports import Ticket
from app.store.journal import Entry, Recorded
from tests.simulation import market
from tests.simulation.agenda import Agenda
from tests.simulation.bugs import NONE, Bugs
from tests.simulation.clients import Clients
from tests.simulation.faults import Kind, Mischief
from tests.simulation.journal import Journal, Row, Stale
from tests.simulation.line import Line
from tests.simulation.restoring import Restoring
from tests.simulation.scenario import Fault, draw
from tests.simulation.venue import Venue
from tests.simulation.watch import Watch

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

LAST = market.SESSION.closes_at + 30 * MINUTE
"""By then every order is over or waits for an operator (I28)."""

DOORBELL = 250_000
"""How late news of a command may reach the worker, in microseconds."""

SAMPLED = 0.03

LEASE = 5 * SECOND
STARTING = 2 * SECOND
"""How long a new owner may need from its claim to the end of its first questions."""


class House:
    """Everything of one day, from one seed.

    `longest`: how long requests are under way and senders frozen, whatever the broker declares.
    """

    def __init__(
        self, seed: str, bugs: Bugs = NONE, keep: int = 60, longest: Micros | None = None
    ) -> None:
        self.rng = Random(seed)
        self.scenario = draw(self.rng)
        if longest is not None:
            self.scenario = replace(self.scenario, longest=longest)
        self.bugs = bugs
        self.agenda = Agenda(market.OPEN - 2 * MINUTE)
        self.mischief = Mischief()
        self.watch = Watch(self.agenda, self.scenario.walks, self.scenario.most_working)
        self.journal = Journal(self._recorded, bugs)
        self.line = Line(
            self.agenda, self.rng, self.mischief, self.scenario.longest, lambda: self.worker
        )
        self.venue = Venue(
            self.scenario.means, self.rng, self.mischief, self.line, self.watch, self.agenda
        )
        self.line.venue = self.venue
        self.watch.journal, self.watch.line = self.journal, self.line
        self.watch.queued = lambda: self.worker.queued() if self.worker is not None else []
        self.clients = Clients(self)
        self.restoring = Restoring(self)
        self.worker: Worker | None = None
        self.shown = dict.fromkeys(market.SYMBOLS, -1)
        self.silent_until: Instant = 0
        self.rang_at: Instant = 0
        self._next_owner_in: Micros = 0
        self.hash = 0
        self.last: deque[tuple[object, ...]] = deque(maxlen=keep)

    @property
    def believed(self) -> Means:
        """What the worker takes the broker to be."""
        means = self.scenario.means
        if self.bugs.ignore_deadline:
            return replace(means, deadline=0, quarantine=1)
        return replace(means, lookup_lag=0) if self.bugs.ignore_lag else means

    def log(self, *what: object) -> None:
        """One step, for the hash of the day and for whoever reads a failing one."""
        step = (self.agenda.now, *what)
        self.hash = crc32(" ".join(map(str, step)).encode(), self.hash)
        self.last.append(step)

    # The day

    def prepare(self) -> None:
        """Put the whole day on the agenda."""
        for symbol, walk in self.scenario.walks.items():
            for row, at in enumerate(walk.ats):
                self.agenda.at(at, self._row, symbol, row)
        for at, task in self.scenario.tasks:
            self.agenda.at(at, self._accept, task)
        for command in self.scenario.commands:
            self.agenda.at(command.at, self.clients.command, command)
        for fault in self.scenario.faults:
            self.agenda.at(fault.at, self._arm, fault)
        self.watch.ordered = self.watch.unfinished = len(self.scenario.tasks)
        self.agenda.at(self.agenda.now, self.take_over)

    def _row(self, symbol: str, row: int) -> None:
        self.venue.advance(symbol, self.scenario.walks[symbol].quotes[row])
        if self.agenda.now < self.silent_until:
            return
        self.shown[symbol] = row
        if self.worker is not None:
            self.worker.deliver(self.worker.market_moved, symbol)
        if self.worker is not None and self.rng.random() < SAMPLED:
            self.agenda.at(self.agenda.now, self._idle, symbol)

    def _idle(self, symbol: str) -> None:
        """Now and then look whether an order sleeps that has something to do."""
        if self.worker is not None and self.agenda.now > self.rang_at + DOORBELL:
            self.worker.idle(symbol)

    def _accept(self, task: Task) -> None:
        self.journal.enter(accepted(task), self.scenario.priorities[task.order_id])
        self.log("accepted", task.order_id, task.algo, task.side, task.qty)
        self.ring(task.order_id)

    def ring(self, order_id: str) -> None:
        """News for the worker, a little later; a new owner reads everything anyway."""
        worker = self.worker
        self.rang_at = self.agenda.now
        if worker is not None:
            late = self.rng.randint(0, DOORBELL)
            self.agenda.at(self.agenda.now + late, worker.deliver, worker.notice, order_id)

    def wake_all(self) -> None:
        for order_id in self.journal.rows:
            self.ring(order_id)

    # Ownership

    def take_over(self) -> None:
        from tests.simulation.worker import Worker

        self.journal.epoch += 1
        self.log("owner", self.journal.epoch)
        self.worker = Worker(self, self.journal.epoch)
        self.worker.start()

    def lost(self, worker: "Worker", pause: Micros = 0) -> None:
        """The owner died: another one follows when its lease is over, or after a pause."""
        worker.dead = True
        if self.worker is worker:
            self.worker = None
            after = self._next_owner_in or self.rng.randint(SECOND, LEASE + 2 * SECOND)
            self._next_owner_in = 0
            self.agenda.at(self.agenda.now + max(pause, after), self.take_over)

    def freeze(self, worker: "Worker", ticket: Ticket) -> bool:
        """Whether the worker stops between its last check and the socket; the bytes leave later."""
        if not self.mischief.take(Kind.FREEZE):
            return False
        longest = self.scenario.longest
        self._next_owner_in = self.rng.randint(SECOND, LEASE + 2 * SECOND)
        # It wakes at any moment, or right when the next owner has begun.
        begun = self._next_owner_in + self.rng.randint(0, STARTING)
        held = self.rng.choice((int(self.rng.random() * longest), min(begun, longest)))
        self.log("frozen", ticket.child_id, held)
        self.line.submit(worker.sending, ticket, held)
        self.agenda.at(self.agenda.now + held, self._thaw, worker)
        return True

    def _thaw(self, worker: "Worker") -> None:
        """It goes on with what it remembers; the journal has to know better."""
        now = self.agenda.now
        leaving: list[Leaving] = []
        for order in worker.roster.orders.values():
            order.decided = decision = worker.decide(order, leaving)
            worker.roster.decided(order)
            sends = [action for action in decision.actions if isinstance(action, Send)]
            leaving += [(order.symbol, order.order_id, send) for send in sends]
            if decision.actions:
                try:
                    self.record(facts.entry(order, decision, now), worker, worker.epoch)
                except Stale as stale:
                    self.log("fenced", order.order_id, stale)

    # The journal

    def record(self, entry: Entry, worker: "Worker | None", epoch: int | None = None) -> Recorded:
        """Raises Stale."""
        if self.bugs.ignore_busts:
            entry = replace(entry, voids=())
        if self.bugs.mark_before_apply and worker is not None:
            self._mark(entry, worker)
        return self.journal.record(entry, epoch)

    def _recorded(
        self, before: Row, after: Row, told: Sequence[Fact], entry: Entry, epoch: int | None
    ) -> None:
        """One transaction: held against the invariants, and into the log of the day."""
        self.watch.recorded(before, after, told, entry, epoch)
        for fact in told:
            child = getattr(fact, "child_id", "")
            qty = fact.qty if isinstance(fact, Filled | Intended) else ""
            self.log(fact.type, entry.order_id, child, qty)
            self.watch.fills += isinstance(fact, Filled)

    def _mark(self, entry: Entry, worker: "Worker") -> None:
        for fact in entry.facts:
            if isinstance(fact, Filled) and self.journal.is_fresh(fact):
                worker.reach("heard")
                self.journal.marked.add(fact.execution_id)

    def positions(self) -> dict[str, Decimal]:
        held: dict[str, Decimal] = {}
        for row in self.journal.rows.values():
            task, filled = row.execution.task, row.execution.filled
            symbol = task.instrument.symbol
            held[symbol] = held.get(symbol, ZERO) + task.side.sign * filled
        return held

    # Faults

    def between_decision_and_commit(self, order_id: str) -> None:
        """A command or a halt that slips in where only the journal can see it."""
        if self.mischief.take(Kind.COMMAND_RACES):
            self.clients.race(order_id)
        if self.mischief.take(Kind.HALT_RACES):
            self._halt()

    def _halt(self) -> None:
        self.log("halt")
        self.journal.halted = True
        self.agenda.at(self.agenda.now + 20 * SECOND, self._release)
        self.wake_all()

    def _release(self) -> None:
        self.journal.halted = False
        self.wake_all()

    def _arm(self, fault: Fault) -> None:
        self.log("fault", fault.kind, fault.place)
        now, kind = self.agenda.now, fault.kind
        match kind:
            case Kind.CRASH:
                self.mischief.arm(fault.place)
            case Kind.LATE_START:
                if self.worker is not None:
                    self.lost(self.worker, MINUTE + int(fault.size * 5 * MINUTE))
                    self.mischief.happened[kind] += 1
            case Kind.VENUE_AWAY:
                self._away(SECOND + int(fault.size * 40 * SECOND))
            case Kind.FEED_SILENT:
                self.silent_until = now + 40 * SECOND + int(fault.size * 100 * SECOND)
                self.mischief.happened[kind] += 1
            case Kind.BUST | Kind.CORRECTION:
                self._bust(kind, 5)
            case Kind.RESTORED:
                self.restoring.begin(fault.size)
            case Kind.LIST_LIES if self.restoring.under_way:
                pass  # Together they hide a child from everybody.
            case _:
                self.mischief.arm(kind)

    def _away(self, length: Micros) -> None:
        self.mischief.happened[Kind.VENUE_AWAY] += 1
        self.venue.away_until = self.agenda.now + length
        self.agenda.at(self.venue.away_until + SECOND, self._reconnected)

    def _reconnected(self) -> None:
        worker = self.worker
        if worker is not None:
            worker.deliver(worker.asking.look_soon, 0)

    def _bust(self, kind: Kind, tries: int) -> None:
        if self.venue.bust(correct=kind is Kind.CORRECTION):
            self.mischief.happened[kind] += 1
        elif tries:
            self.agenda.at(self.agenda.now + MINUTE, self._bust, kind, tries - 1)
