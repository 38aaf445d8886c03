"""What lies between the desk and its broker: it delays, loses and repeats."""

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from app.domain.instant import MILLISECOND, SECOND, Instant, Micros
from app.domain.recovery import IdScope
from app.ports import OrderReport, Report, Ticket
from tests.simulation.agenda import Agenda
from tests.simulation.faults import Kind, Mischief
from tests.simulation.venue import Venue


class Sender(Protocol):
    """Whoever sent an order, and hears its answer."""

    def deliver(self, do: Callable[..., None], *args: Any) -> None: ...
    def answered(self, ticket: Ticket, outcome: Any) -> None: ...


class Listener(Protocol):
    """Whoever hears the broker's stream."""

    def deliver(self, do: Callable[..., None], *args: Any) -> None: ...
    def hear(self, report: Report) -> None: ...


class Line:
    """Requests one way, answers and the broker's stream the other."""

    def __init__(
        self,
        agenda: Agenda,
        rng: Random,
        mischief: Mischief,
        longest: Micros,
        listener: Callable[[], Listener | None],
    ) -> None:
        self.venue: Venue
        self.flying: dict[str, list[tuple[Instant, Instant | None]]] = {}
        self._agenda = agenda
        self._rng = rng
        self._mischief = mischief
        self._longest = longest
        self._listener = listener

    def submit(self, sender: Sender, ticket: Ticket, held: Micros = 0) -> None:
        """One request on its way; `held` is how long its sender was frozen before."""
        if self._mischief.take(Kind.REQUEST_LOST):
            return
        now, delay = self._agenda.now, held + self._delay()
        if self._mischief.take(Kind.REQUEST_LATE):
            delay += int(self._rng.random() * self._longest)
        self._fly(sender, ticket, min(now + delay, max(ticket.at + self._longest, now + 1)))
        # Elsewhere a repeated request is a second order: nobody's doing here, and not ours to cure.
        refused = self.venue.means.id_scope in (IdScope.EVER, IdScope.WINDOW)
        if refused and self._mischief.take(Kind.REQUEST_DUPLICATED):
            self._fly(sender, ticket, now + delay // 2)

    def _fly(self, sender: Sender, ticket: Ticket, arrives: Instant) -> None:
        self.flying.setdefault(ticket.child_id, []).append((arrives, ticket.send_by))
        self._agenda.at(arrives, self._arrive, sender, ticket, arrives)

    def _arrive(self, sender: Sender, ticket: Ticket, arrives: Instant) -> None:
        self.flying[ticket.child_id].remove((arrives, ticket.send_by))
        outcome = self.venue.receive(ticket)
        if outcome is None or self._mischief.take(Kind.ACK_LOST):
            return
        now, delay = self._agenda.now, self._delay()
        if self._mischief.take(Kind.ACK_LATE):
            delay += self._rng.randint(SECOND, 8 * SECOND)
        self._agenda.at(now + delay, sender.deliver, sender.answered, ticket, outcome)
        if self._mischief.take(Kind.ACK_DUPLICATED):
            again = now + delay + self._delay()
            self._agenda.at(again, sender.deliver, sender.answered, ticket, outcome)

    def may_still_arrive(self, child_id: str) -> bool:
        """Whether a request is under way that the broker would not refuse for being late."""
        flying = self.flying.get(child_id, ())
        return any(send_by is None or arrives <= send_by for arrives, send_by in flying)

    def cancel(self, child_id: str) -> None:
        if not self._mischief.take(Kind.CANCEL_LOST):
            self._agenda.at(self._agenda.now + self._delay(), self.venue.cancel, child_id)

    def tell(self, report: Report) -> None:
        """The broker's stream: nothing comes through while it is away or nobody listens."""
        if self.venue.away:
            return
        words = isinstance(report, OrderReport)
        if self._mischief.take(Kind.REPORT_LOST if words else Kind.FILL_LOST):
            return
        now, delay = self._agenda.now, self._delay()
        if self._mischief.take(Kind.REPORT_LATE if words else Kind.FILL_LATE):
            delay += self._rng.randint(100 * MILLISECOND, 20 * SECOND)
        self._agenda.at(now + delay, self._told, report)
        if self._mischief.take(Kind.REPORT_DUPLICATED):
            self._agenda.at(now + delay + self._rng.randint(0, 5 * SECOND), self._told, report)

    def _told(self, report: Report) -> None:
        listener = self._listener()
        if listener is not None:
            listener.deliver(listener.hear, report)

    def _delay(self) -> Micros:
        return self._rng.randint(2 * MILLISECOND, 60 * MILLISECOND)
