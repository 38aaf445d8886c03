"""What clients ask while orders are at work; the API books it without asking the worker."""

from decimal import Decimal
from typing import TYPE_CHECKING

from app.domain.execution import Execution
from app.domain.fact import Amended, CancelRequested, OrderFact, Paused, Resumed
from app.domain.instant import SECOND
from app.domain.quantity import ceil_to
from app.store.journal import Entry
from tests.simulation.market import SESSION
from tests.simulation.scenario import Command

if TYPE_CHECKING:
    from tests.simulation.house import House


class Clients:
    """Cancels, pauses, resumes and amendments, refused where the API would."""

    def __init__(self, house: "House") -> None:
        self._house = house

    def command(self, command: Command) -> None:
        row = self._house.journal.rows.get(command.order)
        if row is None or row.execution.done:
            return
        fact = self._fact(row.execution, command.verb, command.share)
        if fact is not None:
            self._book(command.order, fact)

    def race(self, order_id: str) -> None:
        """A client who cancels or pauses at the worst moment."""
        verb = self._house.rng.choice(("cancel", "pause", "amend_qty"))
        execution = self._house.journal.rows[order_id].execution
        fact = self._fact(execution, verb, 0.0)
        if fact is not None:
            self._book(order_id, fact)

    def _fact(self, execution: Execution, verb: str, share: float) -> OrderFact | None:
        house, task = self._house, execution.task
        now = house.agenda.now
        match verb:
            case "cancel":
                return CancelRequested(now, "user")
            case "pause":
                if execution.pause_requested:
                    return None
                later = now + 10 * SECOND + int(share * 120 * SECOND)
                house.agenda.at(later, self._resume, task.order_id)
                return Paused(now)
            case "amend_limit":
                if task.limit_price is None:
                    return None
                better = Decimal(int(share * 400) - 200) / 100
                return Amended(now, limit_price=task.limit_price + better)
            case "amend_end":
                end = min(now + 20 * SECOND + int(share * 300 * SECOND), SESSION.closes_at)
                return Amended(now, end=end) if end > max(now, task.start) else None
            case _:
                return self._amended_qty(execution, share)

    def _amended_qty(self, execution: Execution, share: float) -> Amended | None:
        if self._house.restoring.under_way:
            # Less than was filled already, and nobody knows yet: docs/backup.md.
            return None
        lot, task = execution.task.instrument.lot, execution.task
        least = ceil_to(execution.filled + execution.reserved, lot)
        qty = ceil_to(task.qty * Decimal(int(share * 20)) / 10, lot)
        qty = max(qty, least)
        return Amended(self._house.agenda.now, qty=qty) if 0 < qty != task.qty else None

    def _resume(self, order_id: str) -> None:
        execution = self._house.journal.rows[order_id].execution
        if execution.pause_requested and not execution.done:
            self._book(order_id, Resumed(self._house.agenda.now))

    def _book(self, order_id: str, fact: OrderFact) -> None:
        self._house.record(Entry(order_id, [fact]), None)
        self._house.ring(order_id)
