"""One owner's sends: each child once, and its answer is one of three."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.domain.fact import BecameUnknown, ChildFact, ChildRejected, Intended, Sent
from app.domain.instant import SECOND
from app.engine.working import Working
from app.ports import Acknowledged, Outcome, Refused, Ticket
from tests.simulation.faults import Frozen
from tests.simulation.venue import DUPLICATE

if TYPE_CHECKING:
    from tests.simulation.worker import Worker

TIMEOUT = 2 * SECOND


class Sending:
    """What is on the wire, known to this owner alone."""

    def __init__(self, worker: "Worker") -> None:
        self.on_the_wire: set[str] = set()
        self._worker = worker
        self._house = worker.house

    def deliver(self, do: Callable[..., None], *args: Any) -> None:
        self._worker.deliver(do, *args)

    def ticket(self, order: Working, fact: Intended) -> Ticket:
        deadline = self._house.scenario.means.deadline
        return Ticket(
            fact.child_id,
            order.symbol,
            fact.side,
            fact.qty,
            fact.price,
            fact.time_in_force,
            fact.purpose,
            fact.at,
            None if deadline is None or self._house.bugs.no_send_by else fact.at + deadline,
        )

    def send(self, ticket: Ticket) -> None:
        house = self._house
        self._worker.reach("before_socket")
        if house.freeze(self._worker, ticket):
            raise Frozen
        house.watch.leaves_house(ticket.child_id, self._worker.epoch)
        house.log("send", ticket.child_id, ticket.qty, ticket.limit_price)
        self.on_the_wire.add(ticket.child_id)
        house.line.submit(self, ticket)
        house.agenda.at(house.agenda.now + TIMEOUT, self._worker.deliver, self._timed_out, ticket)
        self._worker.reach("after_socket")

    def _timed_out(self, ticket: Ticket) -> None:
        if ticket.child_id not in self.on_the_wire:
            return
        self.on_the_wire.discard(ticket.child_id)
        now, name = self._house.agenda.now, ticket.child_id
        if self._house.bugs.timeout_is_rejection:
            self._worker.books.tell([ChildRejected(now, name, "timeout")])
            return
        self._worker.books.tell([BecameUnknown(now, name, "timeout")])
        if self._house.bugs.resend_on_timeout:
            self._house.line.submit(self, ticket)

    def answered(self, ticket: Ticket, outcome: Outcome) -> None:
        """The answer to a send; one that comes after its timeout has nobody to hear it."""
        if ticket.child_id not in self.on_the_wire:
            return
        self._worker.reach("answered")
        self.on_the_wire.discard(ticket.child_id)
        self._worker.books.tell([self._outcome(ticket, outcome)])
        self._worker.reach("answer_booked")

    def _outcome(self, ticket: Ticket, outcome: Outcome) -> ChildFact:
        now = self._house.agenda.now
        match outcome:
            case Acknowledged():
                return Sent(now, ticket.child_id, outcome.broker_order_id)
            case Refused() if outcome.code != DUPLICATE or self._trusts_duplicates:
                return ChildRejected(now, ticket.child_id, f"broker.{outcome.code}")
            case _:
                return BecameUnknown(now, ticket.child_id, "unclear")

    @property
    def _trusts_duplicates(self) -> bool:
        return self._house.bugs.duplicate_refusal_is_final
