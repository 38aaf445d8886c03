"""What a worker asks its broker, before any send and on a timer, and what it concludes."""

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
from app.ports import BustReport, ExecutionReport, OrderReport, Report
from tests.simulation.inbox import waits_for_fills
from tests.simulation.memory import Held

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
        self._kept: dict[str, OrderReport] = {}
        self._due: Instant | None = None

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

    def keep(self, report: Report) -> None:
        """An end that came before its fills: it counts once they are here."""
        assert isinstance(report, OrderReport)
        self._kept[report.child_id] = report
        self.look_soon(SECOND)

    def news(self, child_id: str) -> None:
        """A child was heard of: perhaps its end may count now, perhaps nobody is silent."""
        kept = self._kept.get(child_id)
        child = self._worker.child(child_id)
        if kept is not None and not waits_for_fills(kept, child):
            del self._kept[child_id]
            self._worker.book([kept])
        if child.status is ChildStatus.UNKNOWN or child.cancel_requested_at is not None:
            self.look_soon(SECOND)

    def reconcile(self) -> None:
        """Executions first, then each child by its id; then decisions may go on."""
        worker, venue = self._worker, self._house.venue
        try:
            executed = venue.executed()
            listed = venue.open_orders()
        except ConnectionError:
            self._overdue()
            self.look_soon(SECOND)
            return
        worker.reach("reconciling")
        if not self._house.bugs.never_ask_executions:
            worker.book([r for r in executed if self._is_news(r)])
        worker.book([r for r in listed if self._is_silent(r.child_id)])
        wait = EVERY
        for held in list(worker.held.values()):
            for child in held.execution.children:
                wait = min(wait, self._ask(held, child))
        if self._kept:
            wait = min(wait, SECOND)
        if not worker.ready:
            self._house.watch.reconciled.add(worker.epoch)
            worker.begin()
        self._cancel_again()
        if self._overdue():
            wait = min(wait, AWAITED_EVERY)
        worker.reach("reconciled")
        self.look_soon(wait)

    def _is_news(self, report: Report) -> bool:
        bookings = self._house.journal.bookings
        match report:
            case ExecutionReport():
                # What was void before it came may still take back the one that it corrects.
                booked = bookings.get(report.execution_id)
                return booked is None or booked.fact is None
            case BustReport():
                known = bookings.get(report.execution_id)
                return known is None or not known.void
            case OrderReport():
                return True

    def _is_silent(self, child_id: str) -> bool:
        return self._worker.child(child_id).status in SILENT

    def _ask(self, held: Held, child: Child) -> Micros:
        """Look one child up; how soon to ask again."""
        worker, now = self._worker, self._agenda.now
        if child.id in worker.sending.on_the_wire:
            return EVERY
        report = self._house.venue.lookup(child.id)
        if report is not None:
            self._missed.pop(child.id, None)
            worker.book([report])
            return EVERY
        child = worker.child(child.id)
        if child.status not in SILENT:
            return EVERY
        if child.status is ChildStatus.INTENT:
            worker.tell([BecameUnknown(now, child.id, "found_without_answer")])
        missed = self._count(child.id)
        return self._conclude(held, child, missed)

    def _count(self, child_id: str) -> Missed:
        now = self._agenda.now
        missed = self._missed.setdefault(child_id, Missed(now, now))
        if now - missed.last >= apart(self._house.scenario.means):
            missed.last, missed.count = now, missed.count + 1
        return missed

    def _conclude(self, held: Held, child: Child, missed: Missed) -> Micros:
        now, house = self._agenda.now, self._house
        agree: bool | None = None
        verdict = self._judge(child, missed, agree)
        if isinstance(verdict, NeedsPosition):
            verdict = self._judge(child, missed, self._positions_agree())
        match verdict:
            case Absent():
                house.log("absent", child.id)
                self._missed.pop(child.id, None)
                self._worker.tell([ChildRejected(now, child.id, "absent", absent=True)])
                return EVERY
            case AskAgain():
                return verdict.after
            case NeedsOperator():
                self._call_operator(held, verdict.reason)
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

    def _call_operator(self, held: Held, reason: str) -> None:
        execution = self._house.journal.rows[held.order_id].execution
        if execution.done or execution.status is OrderStatus.NEEDS_OPERATOR:
            return
        self._house.log("operator", held.order_id, reason)
        moved = Moved(self._agenda.now, OrderStatus.NEEDS_OPERATOR, reason)
        if self._worker.record(held.order_id, [moved], None):
            self._worker.settle(held)

    def _cancel_again(self) -> None:
        if self._house.bugs.cancel_once:
            return
        for held in self._worker.held.values():
            for child in held.execution.children:
                if child.cancel_requested_at is not None and child.status not in SILENT:
                    self._house.line.cancel(child.id)

    def _overdue(self) -> bool:
        """Call an operator for whoever waits too long; whether anybody waits."""
        now, before = self._agenda.now, self._awaited
        self._awaited = {}
        for held in list(self._worker.held.values()):
            for child in awaited(held.execution):
                self._awaited[child.id] = before.get(child.id, now)
            waited = {name: now - since for name, since in self._awaited.items()}
            move = overdue(held.execution, waited)
            if move is not None and not self._house.bugs.no_bound:
                assert move.reason is not None
                self._call_operator(held, move.reason)
        return bool(self._awaited)
