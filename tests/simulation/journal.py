"""The journal in memory: facts in, versions and events out, under the rules of `app.store.journal`.

A decision names the version it was made on and is dropped when the order has moved on. A fill is
booked once by its execution id. What a broken fold raises leaves nothing behind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.domain.execution import Child, Execution
from app.domain.fact import Adopted, Busted, Fact, Filled, Intended, OrderFact
from app.domain.fold import adopted_child, apply, apply_to_child
from tests.simulation.bugs import NONE, Bugs


@dataclass(frozen=True, slots=True)
class Entry:
    """Facts about one order. `version` and `epoch` are given by decisions, not by reports."""

    order_id: str
    facts: Sequence[Fact]
    version: int | None = None
    epoch: int | None = None


@dataclass(slots=True)
class Row:
    """One order as stored, with every child it ever had and its events so far."""

    execution: Execution
    version: int = 0
    children: dict[str, Child] = field(default_factory=dict)
    events: list[Fact] = field(default_factory=list)


@dataclass(slots=True)
class Booking:
    """One execution in the books; a void one never counted, or counts no more."""

    fact: Filled | None
    void: bool = False


class Stale(Exception):
    """The order, the owner or the halt is not what the decision was made on."""


Check = Callable[[Row, Row, Sequence[Fact], Entry], None]


class Journal:
    """All orders of the desk. `check` sees every transaction: the row before and after."""

    def __init__(self, check: Check, bugs: Bugs = NONE) -> None:
        self.rows: dict[str, Row] = {}
        self.owner: dict[str, str] = {}
        self.bookings: dict[str, Booking] = {}
        self.epoch = 0
        self.halted = False
        self.marked: set[str] = set()
        """Only where that mistake is planted: fills marked as seen before they were applied."""
        self._check = check
        self._bugs = bugs

    def enter(self, execution: Execution) -> None:
        self.rows[execution.task.order_id] = Row(execution)

    def record(self, entry: Entry) -> bool:
        """Fold facts into an order, all or nothing; whether anything changed. Raises Stale."""
        row = self.rows[entry.order_id]
        if entry.version is not None:
            self._fence(row, entry)
        draft = Row(row.execution, row.version, row.children)
        for fact in entry.facts:
            self._fold(draft, fact)
        if not draft.events:
            return False
        draft.version += 1
        self._check(row, draft, draft.events, entry)
        row.execution, row.version, row.children = draft.execution, draft.version, draft.children
        row.events.extend(draft.events)
        return True

    def _fence(self, row: Row, entry: Entry) -> None:
        if entry.version != row.version and not self._bugs.no_version_check:
            raise Stale("version")
        if entry.epoch != self.epoch and not self._bugs.no_epoch_check:
            raise Stale("epoch")
        intends = any(isinstance(fact, Intended) for fact in entry.facts)
        if intends and self.halted and not self._bugs.no_halt_in_commit:
            raise Stale("halt")

    def _fold(self, draft: Row, fact: Fact) -> None:
        match fact:
            case Filled():
                if not self._fresh(fact):
                    return
            case Busted():
                if not self._void(fact):
                    return
            case _:
                pass
        if isinstance(fact, OrderFact):
            draft.execution = apply(draft.execution, fact)
        elif isinstance(fact, Intended | Adopted):
            draft.execution = apply(draft.execution, fact)
            child = draft.execution.child(fact.child_id)
            if child is None:
                assert isinstance(fact, Adopted)
                child = adopted_child(fact)
            draft.children = {**draft.children, child.id: child}
            self.owner[child.id] = child.id.partition("-")[0]
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
        """Whether this execution is booked now. One that was void before it came never counts."""
        if fact.execution_id in self.marked:
            self.marked.discard(fact.execution_id)
            return True
        known = self.bookings.get(fact.execution_id)
        if known is None:
            self.bookings[fact.execution_id] = Booking(fact)
            return True
        if self._bugs.no_dedupe:
            return not known.void
        if known.fact is None and known.void:
            self.bookings[fact.execution_id] = Booking(fact, void=True)
        return False

    def _void(self, fact: Busted) -> bool:
        """Whether a booked execution becomes void now; one that is still to come is remembered."""
        known = self.bookings.get(fact.execution_id)
        if known is None:
            self.bookings[fact.execution_id] = Booking(None, void=True)
            return False
        if known.void:
            return False
        self.bookings[fact.execution_id] = Booking(known.fact, void=True)
        return True
