"""What an owner hears, into the journal: the product's own reading of it, whole."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain.execution import Child
from app.domain.fact import ChildFact
from app.engine.adoption import adoption, asks
from app.engine.recent import Recent
from app.engine.sorting import Lost, sort, waiting
from app.ports import ExecutionReport, OrderReport, Report
from app.store.journal import Entry, Recorded
from tests.simulation.names import order_of
from tests.simulation.watch import hold

if TYPE_CHECKING:
    from tests.simulation.worker import Worker


class Booking:
    """One owner's way into the journal. `held` are ends that wait for fills, by child."""

    def __init__(self, worker: "Worker") -> None:
        self.held: dict[str, OrderReport] = {}
        self._worker = worker
        self._house = worker.house
        self._recent = Recent()

    def book(self, reports: Sequence[Report]) -> None:
        """Everything a broker tells comes through here, from its stream and its lists alike."""
        journal, bugs = self._house.journal, self._house.bugs
        if not bugs.no_dedupe:
            reports = self._recent.unheard(reports)
        told = [*reports, *self.held.values()]
        if not told:
            return
        ids = dict.fromkeys(report.child_id for report in told)
        owners = journal.owners(ids)
        parents = journal.parents(ids.keys() - owners.keys())
        sorting = sort(told, owners, {} if bugs.no_dedupe else journal.terms, parents)
        hold(not sorting.strange, "I1 put aside though it is ours", *sorting.strange)
        for entry in sorting.entries:
            self.record(entry)
        self.held = waiting(self.held, told, sorting.held)
        for child_id in sorting.undead:
            self._house.log("undead", child_id)
            self._house.line.cancel(child_id)
        for lost in sorting.lost:
            self._adopt(lost)
        self._worker.asking.news(ids)

    def _adopt(self, lost: Lost) -> None:
        """Take in a child that the broker knows and the journal lost."""
        house, reports = self._house, list(lost.reports)
        if asks(lost):
            try:
                found = house.venue.asked_of(lost.child_id)
            except ConnectionError:
                return  # It will be told again.
            reports += [found] if found is not None else []
        fact = adoption(lost, reports, house.agenda.now)
        if fact is None:
            # Its end alone, or a bust: what it was is told with its executions.
            told = [r.execution_id for r in reports if isinstance(r, ExecutionReport)]
            hold(not told, "I1 put aside though it is ours", lost.child_id, *told)
            return
        house.log("adopted", fact.child_id, fact.qty, fact.live)
        self._worker.reach("heard")
        self.record(Entry(lost.parent.order_id, [fact]))
        self._worker.reach("booked")
        self.book(reports)

    def tell(self, facts: Sequence[ChildFact]) -> None:
        """Book facts about one child that no report tells."""
        child_id = facts[0].child_id
        self.record(Entry(order_of(child_id), facts))
        self._worker.asking.news([child_id])

    def record(self, entry: Entry) -> Recorded:
        """Into the journal, and what it says now into memory. Raises Stale."""
        epoch = None if entry.version is None else self._worker.epoch
        recorded = self._house.record(entry, self._worker, epoch)
        self._recent.remember([recorded])
        self._worker.roster.take_over([recorded], self._house.agenda.now)
        return recorded

    def child(self, child_id: str) -> Child | None:
        """A child as the journal has it."""
        return self._house.journal.rows[order_of(child_id)].children.get(child_id)
