"""What a worker asks its broker, before any send and on a timer, and what it concludes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.closing import awaited, overdue
from app.domain.execution import Child
from app.domain.fact import BecameUnknown, ChildRejected, Moved
from app.domain.instant import SECOND, Instant, Micros
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.recovery import (
    Absent,
    AskAgain,
    NeedsOperator,
    NeedsPosition,
    Silence,
    Verdict,
    apart,
    judge,
)
from app.engine.reconcile import OVERLAP
from app.engine.working import Working
from app.ports import Report
from app.store.journal import Entry

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

EVERY = 30 * SECOND
AWAITED_EVERY = 4 * SECOND
SILENT = (ChildStatus.INTENT, ChildStatus.UNKNOWN)


@dataclass(slots=True)
class Missed:
    """Look-ups that did not find a child."""

    first: Instant
    last: Instant
    count: int = 1


class Asking:
    """The reconciliation of one owner; its memory dies with it."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._house = worker.house
        self._agenda = worker.house.agenda
        self._missed: dict[str, Missed] = {}
        self._awaited: dict[str, Instant] = {}
        self._due: Instant | None = None
        self._seen_to: Instant = 0

    def look_soon(self, after: Micros) -> None:
        at = self._agenda.now + after
        if self._due is None or at < self._due:
            self._due = at
            self._agenda.at(at, self._worker.deliver, self._look, at)

    def _look(self, at: Instant) -> None:
        if self._due != at:
            return
        self._due = None
        self.reconcile()

    def news(self, child_ids: Iterable[str]) -> None:
        """Children were heard of: whether somebody is silent, or an end waits for its fills."""
        if self._worker.books.held:
            self.look_soon(SECOND)
        for child_id in child_ids:
            child = self._worker.books.child(child_id)
            if child is None or not child.live:
                continue
            if child.status is ChildStatus.UNKNOWN or child.cancel_requested_at is not None:
                self.look_soon(SECOND)
                return

    def reconcile(self) -> None:
        """States first, executions after them, booked as one; then decisions may go on."""
        worker = self._worker
        try:
            reports, missing = self._ask()
        except ConnectionError:
            self._overdue()
            self.look_soon(SECOND)
            return
        worker.reach("reconciling")
        worker.books.book(reports)
        wait = min((self._conclude_of(child_id) for child_id in missing), default=EVERY)
        if worker.books.held:
            wait = min(wait, SECOND)
        if not worker.ready:
            self._house.watch.reconciled.add(worker.epoch)
            worker.ready = True
            self._house.restoring.under_way = False
        self._cancel_again()
        if self._overdue():
            wait = min(wait, AWAITED_EVERY)
        worker.reach("reconciled")
        self.look_soon(wait)

    def _ask(self) -> tuple[list[Report], list[str]]:
        """All that the venue tells, and the children it does not know. Raises ConnectionError."""
        venue, on_the_wire = self._house.venue, self._worker.sending.on_the_wire
        executed = venue.executed(self._seen_to - max(OVERLAP, 2 * venue.means.lookup_lag))
        if self._house.bugs.never_ask_executions:
            executed = []
        reports: list[Report] = [*venue.open_orders()]
        missing = []
        for child in self._worker.roster.children():
            if child.id not in on_the_wire:
                report = venue.lookup(child.id)
                if report is None:
                    if child.status in SILENT:
                        missing.append(child.id)
                else:
                    self._missed.pop(child.id, None)
                    reports.append(report)
        self._seen_to = self._agenda.now
        return [*reports, *executed], missing

    def _conclude_of(self, child_id: str) -> Micros:
        """What follows from a look-up that did not find a child; how soon to ask again."""
        order, now = self._worker.roster.of_child(child_id), self._agenda.now
        child = order.execution.child(child_id) if order is not None else None
        if order is None or child is None or child.status not in SILENT:
            return EVERY
        if child.status is ChildStatus.INTENT:
            self._worker.books.tell([BecameUnknown(now, child.id, "found_without_answer")])
        return self._conclude(order, child, self._count(child.id))

    def _count(self, child_id: str) -> Missed:
        now = self._agenda.now
        missed = self._missed.setdefault(child_id, Missed(now, now))
        if now - missed.last >= apart(self._house.scenario.means):
            missed.last, missed.count = now, missed.count + 1
        return missed

    def _conclude(self, order: Working, child: Child, missed: Missed) -> Micros:
        now, house = self._agenda.now, self._house
        agree: bool | None = None
        verdict = self._judge(child, missed, agree)
        if isinstance(verdict, NeedsPosition):
            verdict = self._judge(child, missed, self._positions_agree())
        match verdict:
            case Absent():
                house.log("absent", child.id)
                self._missed.pop(child.id, None)
                self._worker.books.tell([ChildRejected(now, child.id, "absent", absent=True)])
                return EVERY
            case AskAgain():
                return verdict.after
            case NeedsOperator():
                self._call_operator(order, verdict.reason)
                return EVERY
            case NeedsPosition():
                raise AssertionError("positions were compared")

    def _judge(self, child: Child, missed: Missed, agree: bool | None) -> Verdict:
        house, now = self._house, self._agenda.now
        if house.bugs.release_without_proof:
            return Absent()
        means = house.believed
        silence = Silence(now - child.intended_at, now - missed.first, missed.count, agree)
        return judge(means, silence)

    def _positions_agree(self) -> bool:
        """Whether the broker holds what our fills make; executions were asked for just before."""
        ours = self._house.positions()
        theirs = self._house.venue.positions()
        return all(ours.get(s, 0) == theirs.get(s, 0) for s in {**ours, **theirs})

    def _call_operator(self, order: Working, reason: str) -> None:
        execution = self._house.journal.rows[order.order_id].execution
        if execution.done or execution.status is OrderStatus.NEEDS_OPERATOR:
            return
        self._house.log("operator", order.order_id, reason)
        moved = Moved(self._agenda.now, OrderStatus.NEEDS_OPERATOR, reason)
        self._worker.books.record(Entry(order.order_id, [moved]))

    def _cancel_again(self) -> None:
        if self._house.bugs.cancel_once:
            return
        for child in self._worker.roster.children():
            if child.cancel_requested_at is not None and child.status not in SILENT:
                self._house.line.cancel(child.id)

    def _overdue(self) -> bool:
        """Call an operator for whoever waits too long; whether anybody waits."""
        now, before = self._agenda.now, self._awaited
        self._awaited = {}
        index, orders = self._worker.roster.index, self._worker.roster.orders
        for order_id in sorted(index.unknown | index.canceling | index.closing):
            order = orders[order_id]
            since = {c.id: before.get(c.id, now) for c in awaited(order.execution, now)}
            self._awaited |= since
            move = overdue(order.execution, {name: now - at for name, at in since.items()})
            if move is not None and not self._house.bugs.no_bound:
                assert move.reason is not None
                self._call_operator(order, move.reason)
        return bool(self._awaited)
