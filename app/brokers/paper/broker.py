"""The paper broker as the engine knows it: one account, told and asked in market time.

What happens at the venue at h is told at h + latency, in the order (h, number). An instance tells
what happens from its opening on; before that, `lookup`, `open_orders` and `executions` say what
the ledger holds, which is all that any instance has worked out and could have told. They, too,
know only what had time to come back by the latest moment the venue has heard of.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from heapq import heappop, heappush

from app.brokers.paper.ledger import Ledger
from app.brokers.paper.options import Options
from app.brokers.paper.telling import execution_report, report, state_report
from app.domain.fact import TimeInForce
from app.domain.instant import DAY, SECOND, Instant
from app.domain.quantity import ZERO
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.venue.admission import NotTaken, admit
from app.domain.venue.auction import ends_at
from app.domain.venue.records import CancelRequest, Code, Happening, Order
from app.domain.venue.venue import Venue
from app.ports import (
    Acknowledged,
    Capabilities,
    ExecutionReport,
    IdScope,
    Lookup,
    OrderReport,
    Outcome,
    Refused,
    Report,
    Ticket,
    Unclear,
)

CAPABILITIES = Capabilities(
    id_scope=IdScope.EVER,
    lookup=Lookup.ALL,
    lookup_lag=0,
    executions_lookback=100 * 365 * DAY,
    # A submit may wait 0.5 s for the lock of the ledger and be taken after all.
    quarantine=SECOND,
    closing_auction=True,
    extended_hours=True,
)


_READ_AT_ONCE = 50
_COUNTED_AT_ONCE = 500
_REST_SECONDS = 0.02


class PaperBroker:
    """A line to the venue. Nothing is told that is not in the ledger."""

    def __init__(
        self, name: str, account: str, tape: Callable[[str], Tape], options: Options
    ) -> None:
        self.name = name
        self.capabilities = CAPABILITIES
        self._options, self._tape = options, tape
        self._ledger = Ledger(options.ledger_path, account)
        self._venue: Venue | None = None
        self._heard = self._ledger.next_seq() - 1
        self._untold: list[tuple[Instant, int, Happening]] = []
        self._positions: dict[str, Decimal] = {}
        self._counted = 0
        self._seen = max(
            self._ledger.latest_told() or 0,
            (self._ledger.latest_happening() or -options.latency_us) + options.latency_us,
        )

    async def submit(self, ticket: Ticket) -> Outcome:
        try:
            with self._turn(ticket.at) as venue:
                return self._take_in(venue, ticket)
        except sqlite3.Error as error:
            return Unclear(f"the ledger did not answer: {error}")

    async def cancel(self, child_id: str, at: Instant) -> None:
        try:
            with self._turn(at) as venue:
                number, arrives_at = self._ledger.next_number(), self._arrival(at)
                order = self._ledger.order(child_id)
                if order is not None:
                    # The same line: a cancel never overtakes its order.
                    arrives_at = max(arrives_at, order.arrives_at)
                cancel = CancelRequest(number, child_id, at, arrives_at)
                self._ledger.add_cancel(cancel)
                venue.expect(cancel)
        except sqlite3.Error:
            return  # Without evidence it is asked again.

    async def lookup(self, child_id: str) -> OrderReport | None:
        with self._asked():
            order = self._ledger.order(child_id)
            return self._state(order) if order is not None else None

    async def open_orders(self) -> Sequence[OrderReport]:
        with self._asked():
            rows = self._current().open_orders()
        told: list[OrderReport] = []
        for first in range(0, len(rows), _READ_AT_ONCE):
            began, part = time.monotonic(), rows[first : first + _READ_AT_ONCE]
            told += [state_report(order, None, qty, at) for order, qty, at in part]
            await _rested(began)
        return told

    async def executions(self, since: Instant) -> Sequence[ExecutionReport]:
        told: list[ExecutionReport] = []
        beyond = -1
        while True:
            began = time.monotonic()
            with self._asked():
                found = self._ledger.executions_since(since, beyond, _READ_AT_ONCE)
            told += map(execution_report, found)
            if len(found) < _READ_AT_ONCE:
                return told
            since, beyond = found[-1].at, found[-1].seq
            await _rested(began)

    async def positions(self) -> dict[str, Decimal]:
        while True:
            began = time.monotonic()
            with self._asked():
                found = self._ledger.traded_beyond(self._counted, _COUNTED_AT_ONCE)
                for seq, symbol, qty in found:
                    self._positions[symbol] = self._positions.get(symbol, ZERO) + qty
                    self._counted = seq
                if len(found) < _COUNTED_AT_ONCE:
                    return {symbol: qty for symbol, qty in self._positions.items() if qty}
            await _rested(began)

    async def reports(self, now: Instant) -> Sequence[Report]:
        with self._asked(now):
            due = []
            while self._untold and self._untold[0][0] <= now - self._options.latency_us:
                told = report(heappop(self._untold)[2])
                due += [told] if told else []
            return due

    def next_at(self, now: Instant) -> Instant | None:
        with self._line():
            venue = self._current()
            moments = [venue.next_at(), self._untold[0][0] if self._untold else None]
        due = min((m for m in moments if m is not None), default=None)
        # What is overdue is told at any later moment.
        return None if due is None else max(due + self._options.latency_us, now + 1)

    async def close(self) -> None:
        self._ledger.close()

    def _take_in(self, venue: Venue, ticket: Ticket) -> Outcome:
        number, arrives_at = self._ledger.next_number(), self._arrival(ticket.at)
        if self._ledger.order(ticket.child_id) is not None:
            self._ledger.add_repeat(number, ticket.child_id, ticket.at)
            # Proof that the first one came in, not that this order was not taken: look it up.
            return Unclear(f"duplicate client id: {ticket.child_id} was sent before")
        try:
            session = self._admit(ticket, arrives_at)
        except NotTaken as refusal:
            order = _order(ticket, number, arrives_at, arrives_at)
            self._ledger.add_order(order)
            venue.refuse(order, refusal.code)
            return Refused(refusal.code, refusal.message, ticket.at)
        expires_at = ends_at(ticket.time_in_force, session)
        order = _order(ticket, number, arrives_at, expires_at)
        self._ledger.add_order(order)
        venue.expect(order)
        return Acknowledged(order.venue_id, ticket.at)

    def _admit(self, ticket: Ticket, arrives_at: Instant) -> Session:
        options, symbol = self._options, ticket.symbol
        extended = ticket.time_in_force is TimeInForce.DAY_EXTENDED
        hours = options.extended if extended else options.sessions
        try:
            instrument, sessions = options.instrument(symbol), hours(symbol)
        except KeyError:
            raise NotTaken(Code.UNKNOWN_SYMBOL, f"{symbol} is not traded here") from None
        return admit(
            instrument,
            sessions,
            qty=ticket.qty,
            limit=ticket.limit_price,
            arrives_at=arrives_at,
        )

    def _arrival(self, at: Instant) -> Instant:
        # Never into what the venue has worked already.
        return max(at, self._seen - 2 * self._options.latency_us) + self._options.latency_us

    def _state(self, order: Order) -> OrderReport:
        ended, rested = self._ledger.ended(order), self._ledger.rested(order)
        executions = self._ledger.executions_of(order)
        filled = sum((e.qty for e in executions), ZERO)
        events = (*executions, *(event for event in (ended, rested) if event is not None))
        at = max((event.at for event in events), default=order.received_at)
        return state_report(order, ended, filled, at)

    @contextmanager
    def _turn(self, now: Instant) -> Iterator[Venue]:
        """The venue worked up to what could be known by `now`, in one transaction with whatever
        the caller adds; what happened is told only after it is durable."""
        self._seen = max(self._seen, now)
        try:
            with self._ledger.transaction():
                venue = self._current()
                venue.work(self._seen - self._options.latency_us)
                yield venue
                happened = venue.written()
        except BaseException:
            # Its memory may be ahead of the ledger.
            self._venue = None
            raise
        self._hear(happened)

    @contextmanager
    def _asked(self, now: Instant = 0) -> Iterator[None]:
        """A question: the venue is worked first, if there is work."""
        with self._line():
            due = self._current().next_at()
            if due is not None and due <= max(now, self._seen) - self._options.latency_us:
                with self._turn(now):
                    pass
            self._seen = max(self._seen, now)
            yield

    @contextmanager
    def _line(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise ConnectionError(f"the ledger did not answer: {error}") from error

    def _current(self) -> Venue:
        """The venue as the ledger stands; another process may have worked there meanwhile."""
        if self._ledger.changed_elsewhere() or self._venue is None:
            self._hear(self._ledger.happened_beyond(self._heard))
            self._venue = Venue(self._ledger, self._tape, self._options.tariff)
        return self._venue

    def _hear(self, happened: Sequence[Happening]) -> None:
        for event in happened:
            self._heard = max(self._heard, event.seq)
            if report(event) is not None:
                heappush(self._untold, (event.at, event.seq, event))


async def _rested(began: float) -> None:
    """A long answer must not hold up who lives beside this venue: after each part, twice its time
    is theirs, but no more where the process itself was held up."""
    await asyncio.sleep(min(2 * (time.monotonic() - began), _REST_SECONDS))


def _order(ticket: Ticket, number: int, arrives_at: Instant, expires_at: Instant) -> Order:
    return Order(
        number=number,
        client_id=ticket.child_id,
        symbol=ticket.symbol,
        side=ticket.side,
        qty=ticket.qty,
        limit=ticket.limit_price,
        time_in_force=ticket.time_in_force,
        received_at=ticket.at,
        arrives_at=arrives_at,
        expires_at=expires_at,
    )
