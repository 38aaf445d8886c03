"""The journal in memory: facts in, versions and events out, under the rules of `app.store.journal`.

A decision names the version it was made on and is dropped when the order has moved on. A fill is
booked once by its execution id. What a broken fold raises leaves nothing behind.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.domain.execution import Child, Execution
from app.domain.fact import Adopted, Busted, Fact, Filled, Intended, OrderFact
from app.domain.fold import adopted_child, apply, apply_to_child
from app.domain.lifecycle import ORDER_DONE
from app.domain.quantity import ZERO
from app.domain.task import OnRestart
from app.store.children import Owner, Parent
from app.store.fill_ledger import Term, Void
from app.store.journal import Entry, Recorded
from app.store.open_orders import Loaded
from tests.simulation.bugs import NONE, Bugs
from tests.simulation.names import order_of


@dataclass(slots=True)
class Row:
    """One order as stored, with every child it ever had and its events so far."""

    execution: Execution
    version: int = 0
    children: dict[str, Child] = field(default_factory=dict)
    events: list[Fact] = field(default_factory=list)
    priority: int = 0


class Stale(Exception):
    """The order, the owner or the halt is not what the decision was made on."""


Check = Callable[[Row, Row, Sequence[Fact], Entry, int | None], None]


class Journal:
    """All orders of the desk. `check` sees every transaction: the row before and after."""

    def __init__(self, check: Check, bugs: Bugs = NONE) -> None:
        self.rows: dict[str, Row] = {}
        self.fills: dict[str, Filled] = {}
        self.terms: dict[str, Term] = {}
        self.voids: dict[str, Void] = {}
        self.forgotten: set[str] = set()
        """Children that a restore took back."""
        self.epoch = 0
        self.halted = False
        self.marked: set[str] = set()
        """Only where that mistake is planted: fills marked as seen before they were applied."""
        self._check = check
        self._bugs = bugs
        self._owners: dict[str, tuple[Child, Owner]] = {}

    def enter(self, execution: Execution, priority: int) -> None:
        self.rows[execution.task.order_id] = Row(execution, priority=priority)

    # What the store is asked

    def loaded(self, order_id: str) -> Loaded:
        """An order as its desk loads it; nobody here measures what it cost."""
        row = self.rows[order_id]
        resume = OnRestart.RESUME
        return Loaded(row.execution, row.version, None, None, ZERO, resume, row.priority)

    def owners(self, child_ids: Iterable[str]) -> dict[str, Owner]:
        """Child id → its order, for those the journal has."""
        found = {}
        for child_id in child_ids:
            order_id = order_of(child_id)
            row = self.rows[order_id]
            child = row.children.get(child_id)
            if child is not None:
                known = self._owners.get(child_id)
                if known is None or known[0] is not child:
                    known = self._owners[child_id] = (child, _owner(row.execution, child))
                found[child_id] = known[1]
        return found

    def parents(self, child_ids: Iterable[str]) -> dict[str, Parent]:
        """Child id → the order it must have belonged to."""
        return {child_id: self._parent(order_of(child_id)) for child_id in child_ids}

    def _parent(self, order_id: str) -> Parent:
        execution = self.rows[order_id].execution
        task = execution.task
        done = execution.status in ORDER_DONE
        symbol, side = task.instrument.symbol, task.side.value
        return Parent(order_id, symbol, side, execution.next_child, done)

    # What is written

    def record(self, entry: Entry, epoch: int | None = None) -> Recorded:
        """Fold facts into an order, all or nothing. Raises Stale."""
        row = self.rows[entry.order_id]
        if entry.version is not None:
            self._fence(row, entry, epoch)
        draft = Row(row.execution, row.version, row.children)
        for fact in entry.facts:
            if not isinstance(fact, Filled) or self._fresh(fact):
                self._fold(draft, fact)
        for void in entry.voids:
            self.voids.setdefault(void.execution_id, void)
        for busted in self._busted(entry, draft.events):
            self._fold(draft, busted)
        if draft.events:
            draft.version += 1
            self._check(row, draft, draft.events, entry, epoch)
            row.execution, row.version = draft.execution, draft.version
            row.children = draft.children
            row.events.extend(draft.events)
        return Recorded(
            entry.order_id,
            row.execution,
            row.version,
            booked=tuple(f for f in draft.events if isinstance(f, Filled)),
            busted=tuple(f for f in draft.events if isinstance(f, Busted)),
        )

    def _fence(self, row: Row, entry: Entry, epoch: int | None) -> None:
        if entry.version != row.version and not self._bugs.no_version_check:
            raise Stale("version")
        if epoch != self.epoch and not self._bugs.no_epoch_check:
            raise Stale("epoch")
        intends = any(isinstance(fact, Intended) for fact in entry.facts)
        if intends and self.halted and not self._bugs.no_halt_in_commit:
            raise Stale("halt")

    def _fold(self, draft: Row, fact: Fact) -> None:
        if isinstance(fact, OrderFact):
            draft.execution = apply(draft.execution, fact)
        elif isinstance(fact, Intended | Adopted):
            if fact.child_id in draft.children and isinstance(fact, Adopted):
                return
            draft.execution = apply(draft.execution, fact)
            child = draft.execution.child(fact.child_id)
            if child is None:
                assert isinstance(fact, Adopted)
                child = adopted_child(fact)
            draft.children = {**draft.children, child.id: child}
        else:
            old = draft.children[fact.child_id]
            draft.execution, child = apply_to_child(draft.execution, fact, old)
            if child == old:
                return
            draft.children = {**draft.children, child.id: child}
        draft.events.append(fact)

    def is_fresh(self, fact: Filled) -> bool:
        """Marks a fill as seen, apart from applying it: the planted mistake."""
        return self._fresh(fact)

    def _fresh(self, fact: Filled) -> bool:
        """Whether this execution is booked now."""
        name = fact.execution_id
        if name in self.marked:
            self.marked.discard(name)
            return True
        if name in self.fills:
            return self._bugs.no_dedupe
        self.fills[name] = fact
        self.terms[name] = Term(fact.child_id, fact.qty, fact.price)
        return True

    def _busted(self, entry: Entry, events: Sequence[Fact]) -> list[Busted]:
        """Booked executions that become void now, those told to be so before among them."""
        names = [void.execution_id for void in entry.voids]
        names += [f.execution_id for f in events if isinstance(f, Filled)]
        found = []
        for name in dict.fromkeys(names):
            void, term, fill = self.voids.get(name), self.terms.get(name), self.fills.get(name)
            if void is None or term is None or fill is None or term.busted:
                continue
            self.terms[name] = replace(term, busted=True)
            found.append(
                Busted(void.at, fill.child_id, name, fill.qty, fill.price, fill.fee, void.reason)
            )
        return found


def _owner(execution: Execution, child: Child) -> Owner:
    task = execution.task
    return Owner(
        task.order_id,
        task.instrument.symbol,
        task.side.value,
        child.status,
        child.qty,
        child.filled,
        child.broker_order_id,
    )
