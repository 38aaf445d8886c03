"""A broker with a ledger of its own, which nobody but the end of the day reads."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from app.domain.fact import TimeInForce
from app.domain.instant import Instant, Micros
from app.domain.lifecycle import ChildStatus
from app.domain.market import Quote
from app.domain.quantity import ZERO
from app.domain.recovery import IdScope, Lookup, Means
from app.ports import (
    Acknowledged,
    BustReport,
    ExecutionReport,
    OrderReport,
    Outcome,
    Refused,
    Report,
    Ticket,
)
from tests.simulation.agenda import Agenda
from tests.simulation.faults import Kind, Mischief
from tests.simulation.ledger import OPEN, Execution, Ledger, Line, Placed
from tests.simulation.scenario import WINDOW

DUPLICATE = "duplicate_client_order_id"
HELD = Decimal(3)
"""Shares that a lying venue fills beyond what was asked, or after it said it was over."""


class Venue:
    """Accepts, fills, cancels, lags and lies as it declared or as a fault makes it."""

    def __init__(
        self,
        means: Means,
        rng: Random,
        mischief: Mischief,
        line: Line,
        ledger: Ledger,
        agenda: Agenda,
    ) -> None:
        self.means = means
        self._agenda = agenda
        self.away_until: Instant = 0
        self.books: dict[str, Quote] = {}
        self.placed: list[Placed] = []
        self.executions: list[Execution] = []
        self.voids: list[tuple[Instant, BustReport]] = []
        self._rng = rng
        self._mischief = mischief
        self._line = line
        self._ledger = ledger
        self._by_id: dict[str, Placed] = {}
        self._refused: set[str] = set()
        self._resting: dict[str, dict[str, Placed]] = {}

    @property
    def now(self) -> Instant:
        return self._agenda.now

    @property
    def away(self) -> bool:
        return self.now < self.away_until

    # What clients ask

    def receive(self, ticket: Ticket) -> Outcome | None:
        """Take an order; None when it never got this far."""
        now = self.now
        if self.away:
            return None
        if ticket.send_by is not None and now > ticket.send_by:
            return Refused("too_late", "past its deadline", now)
        if ticket.child_id in self._refused or self._mischief.take(Kind.REQUEST_REFUSED):
            self._refused.add(ticket.child_id)
            return Refused("no_margin", "refused", now)
        if self._taken(ticket.child_id):
            return Refused(DUPLICATE, "this id is taken", now)
        lags = self._mischief.take(Kind.LOOKUP_LAGS)
        shows_at = now + (self.means.lookup_lag if lags else self._lag())
        placed = Placed(ticket, f"b{len(self.placed)}", now, shows_at, leaves=ticket.qty)
        self.placed.append(placed)
        self._by_id[ticket.child_id] = placed
        self._ledger.placed(placed)
        self._say(placed)
        self._match(placed)
        return Acknowledged(placed.broker_id, now)

    def _taken(self, child_id: str) -> bool:
        known = self._by_id.get(child_id)
        if known is None:
            return False
        match self.means.id_scope:
            case IdScope.EVER:
                return True
            case IdScope.OPEN_ONLY:
                return known.open
            case IdScope.WINDOW:
                return self.now - known.opened_at < WINDOW
            case IdScope.NONE:
                return False

    def cancel(self, child_id: str) -> None:
        placed = self._by_id.get(child_id)
        if placed is not None and placed.open and not self.away:
            self._end(placed, ChildStatus.CANCELED, "asked")

    def lookup(self, child_id: str) -> OrderReport | None:
        """The state some lag ago. Raises ConnectionError."""
        self._reach()
        if self.means.lookup is Lookup.NONE:
            return None
        placed = self._by_id.get(child_id)
        if placed is None or self.now < placed.shows_at:
            return None
        as_of = self.now - self._lag()
        report = next((r for r in reversed(placed.said) if r.at <= as_of), placed.said[0])
        if self.means.lookup is Lookup.OPEN_ONLY and report.status not in OPEN:
            return None
        return report

    def asked_of(self, child_id: str) -> OrderReport | None:
        """A lost child, as an owner asks for it. Raises ConnectionError."""
        if self.means.lookup is not Lookup.NONE:
            return self.lookup(child_id)
        return next((r for r in self.open_orders() if r.child_id == child_id), None)

    def open_orders(self) -> Sequence[OrderReport]:
        """The orders at work; a lying list leaves one out and shows one that is over. Raises
        ConnectionError."""
        self._reach()
        reports = [p.said[-1] for p in self.placed if p.open and self.now >= p.shows_at]
        if reports and self._mischief.take(Kind.LIST_LIES):
            ghost = self._rng.choice(self.placed)
            return [*reports[1:], ghost.said[0]]
        return reports

    def executed(self, since: Instant) -> list[Report]:
        """Executions, and busts of them, told at or after `since`, as far as the list has caught
        up. Raises ConnectionError."""
        self._reach()
        now = self.now
        told: list[Report] = []
        for execution in reversed(self.executions):
            if execution.report.at < since:
                break
            if execution.visible_at <= now:
                told.append(execution.report)
        told.reverse()
        return [*told, *(bust for at, bust in self.voids if at <= now and bust.at >= since)]

    def positions(self) -> dict[str, Decimal]:
        """Signed quantity per symbol. Raises ConnectionError."""
        self._reach()
        held: dict[str, Decimal] = {}
        for e in self.executions:
            if not e.void:
                r = e.report
                held[r.symbol] = held.get(r.symbol, ZERO) + r.side.sign * r.qty
        return held

    def _reach(self) -> None:
        if self.away:
            raise ConnectionError("the venue is away")

    def _lag(self) -> Micros:
        return self._rng.randint(0, self.means.lookup_lag) if self.means.lookup_lag else 0

    # What the market does

    def advance(self, symbol: str, quote: Quote) -> None:
        """A new price: it fills what rests in its way, and now and then what rests at the touch."""
        self.books[symbol] = quote
        resting = self._resting.get(symbol)
        if not resting:
            return
        for placed in list(resting.values()):
            ticket = placed.ticket
            through = ticket.side.sign * (quote.far(ticket.side) - ticket.limit_price) <= 0
            if through:
                self._fill(placed, min(placed.leaves, quote.far_size(ticket.side)))
            elif self._rng.random() < 0.25:
                self._fill(placed, min(placed.leaves, Decimal(self._rng.randint(1, 60))))
            if placed.open and self._mischief.take(Kind.THROWN_OUT):
                self._end(placed, ChildStatus.CANCELED, "thrown out")

    def _match(self, placed: Placed) -> None:
        ticket, quote = placed.ticket, self.books.get(placed.ticket.symbol)
        if quote is not None and self._crosses(ticket, quote):
            shown = min(placed.leaves, quote.far_size(ticket.side))
            half = shown // 2
            if half > 0 and self._rng.random() < 0.3:
                self._fill(placed, half)
                shown -= half
            self._fill(placed, shown)
        if not placed.open:
            return
        if ticket.time_in_force is TimeInForce.IOC:
            self._end(placed, ChildStatus.CANCELED, "ioc")
        else:
            self._resting.setdefault(ticket.symbol, {})[ticket.child_id] = placed

    @staticmethod
    def _crosses(ticket: Ticket, quote: Quote) -> bool:
        return ticket.side.sign * (quote.far(ticket.side) - ticket.limit_price) <= 0

    def _fill(self, placed: Placed, qty: Decimal) -> None:
        if qty >= placed.leaves and self._mischief.take(Kind.OVER_FILL):
            self._ledger.beyond(placed.ticket.child_id, HELD)
            qty += HELD
        placed.leaves = max(placed.leaves - qty, ZERO)
        over = placed.leaves == 0
        placed.status = ChildStatus.FILLED if over else ChildStatus.PARTIALLY_FILLED
        self._execute(placed, qty)
        if over:
            self._forget(placed)
        self._say(placed)

    def _execute(self, placed: Placed, qty: Decimal, corrects: str | None = None) -> None:
        ticket = placed.ticket
        placed.filled += qty
        report = ExecutionReport(
            ticket.child_id,
            placed.broker_id,
            f"x{len(self.executions)}",
            ticket.symbol,
            ticket.side,
            qty,
            ticket.limit_price,
            ZERO,
            "taker",
            self.now,
            corrects,
        )
        self.executions.append(Execution(report, placed, self.now + self._lag()))
        self._ledger.moved(placed)
        self._line.tell(report)

    def _end(self, placed: Placed, status: ChildStatus, reason: str) -> None:
        leaves, placed.leaves = placed.leaves, ZERO
        placed.status = status
        self._forget(placed)
        self._say(placed, reason)
        self._ledger.moved(placed)
        if self._mischief.take(Kind.FILL_AFTER_CANCEL):
            qty = min(leaves, HELD)
            self._ledger.beyond(placed.ticket.child_id, qty)
            self._execute(placed, qty)
            self._say(placed, reason)

    def _forget(self, placed: Placed) -> None:
        self._resting.get(placed.ticket.symbol, {}).pop(placed.ticket.child_id, None)

    def _say(self, placed: Placed, reason: str | None = None) -> None:
        child_id, broker_id = placed.ticket.child_id, placed.broker_id
        state = (child_id, broker_id, placed.status, self.now, placed.filled, reason)
        # Look-ups and lists tell the terms too; the stream does not.
        placed.said.append(OrderReport(*state, placed.terms))
        self._line.tell(OrderReport(*state))

    # What a venue takes back

    def bust(self, correct: bool) -> bool:
        """Declare an execution void, or correct its quantity downwards; False: there is none.

        The order is not worked for what was taken back: it may be over with less than it asked.
        """
        candidates = [e for e in self.executions if not e.void]
        if not candidates:
            return False
        chosen = self._rng.choice(candidates)
        placed, report = chosen.placed, chosen.report
        chosen.void = True
        self._ledger.voided(report.child_id, report.qty)
        placed.filled -= report.qty
        right = report.qty - 1 if correct else ZERO
        self._ledger.moved(placed)
        if right > 0:
            self._execute(placed, right, corrects=report.execution_id)
        else:
            told = BustReport(report.child_id, report.execution_id, self.now, "erroneous")
            self.voids.append((self.now + self._lag(), told))
            self._line.tell(told)
        self._say(placed)
        return True
