"""The line to the simulated venue: what is sent arrives later, what happens is told later."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from app.domain.fact import (
    ChildCanceled,
    ChildExpired,
    ChildFact,
    ChildRejected,
    Filled,
    Intended,
    Rested,
    Sent,
    TimeInForce,
)
from app.domain.instant import Instant
from app.domain.instrument import Instrument
from app.domain.lifecycle import ChildStatus
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.venue import records
from app.domain.venue.admission import NotTaken, admit
from app.domain.venue.auction import ends_at
from app.domain.venue.records import CancelRequest, Execution, Happening, Order
from app.domain.venue.venue import Venue
from app.research.impact import ImpactedTape
from app.research.memory import RunMemory
from app.research.options import Queue, VenueOptions


class Line:
    """One run's orders at its own venue. With a fixed latency it is the paper broker, exactly."""

    def __init__(
        self,
        instrument: Instrument,
        tape: Tape,
        sessions: Sequence[Session],
        options: VenueOptions,
        seed: str,
    ) -> None:
        self.tape = tape
        self._instrument, self._sessions = instrument, sessions
        self._options, self._seed = options, seed
        self._memory = RunMemory()
        self._impacted = (
            ImpactedTape(tape, options.impact, instrument.tick) if options.impact else None
        )
        self._venue = self._opened()
        self._happens: Instant | None = None
        self._limits: dict[str, Decimal] = {}
        self._untold: deque[tuple[Instant, Happening]] = deque()
        self._last_arrival = self._last_told = 0

    def submit(self, intent: Intended, now: Instant) -> ChildFact:
        """Send a child; the venue's answer."""
        number, arrives_at = self._memory.next_number(), self._arrival(now)
        try:
            session = admit(
                self._instrument,
                self._sessions,
                qty=intent.qty,
                limit=intent.price,
                arrives_at=arrives_at,
            )
        except NotTaken as refusal:
            order = _order(self._instrument.symbol, intent, number, arrives_at, arrives_at)
            self._memory.add_order(order)
            self._venue.refuse(order, refusal.code)
            return ChildRejected(now, intent.child_id, f"broker.{refusal.code}")
        ends = ends_at(intent.time_in_force, session)
        order = self._queued(_order(self._instrument.symbol, intent, number, arrives_at, ends))
        self._memory.add_order(order)
        self._expect(order)
        return Sent(now, intent.child_id, order.venue_id)

    def cancel(self, child_id: str, now: Instant) -> None:
        """Ask for a cancel; it never overtakes its order."""
        number, arrives_at = self._memory.next_number(), self._arrival(now)
        cancel = CancelRequest(number, child_id, now, arrives_at)
        self._memory.add_cancel(cancel)
        self._expect(cancel)

    def next_at(self) -> Instant | None:
        """When something happens or is told next."""
        if not self._untold:
            return self._happens
        told = self._untold[0][0]
        return told if self._happens is None else min(told, self._happens)

    def heard(self, now: Instant) -> list[ChildFact]:
        """What is told at `now`, as facts: fills first, ends last."""
        self._work(now)
        if not self._untold or self._untold[0][0] > now:
            return []
        due: list[Happening] = []
        while self._untold and self._untold[0][0] <= now:
            due.append(self._untold.popleft()[1])
        return [self._at_limit(fact) for fact in _in_order(due)]

    def _queued(self, order: Order) -> Order:
        """As the venue gets it: half a unit behind its limit no print at the limit reaches it."""
        if self._options.queue is Queue.BACK or order.time_in_force is not TimeInForce.DAY:
            return order
        self._limits[order.client_id] = order.limit
        half = Decimal("0.5") / self.tape.price_scale
        return replace(order, limit=order.limit - order.side.sign * half)

    def _at_limit(self, fact: ChildFact) -> ChildFact:
        """What filled half a unit behind its limit filled at its limit."""
        limit = self._limits.get(fact.child_id)
        if limit is None or not isinstance(fact, Filled):
            return fact
        near = abs(fact.price - limit) * self.tape.price_scale < 1
        return replace(fact, price=limit) if near else fact

    def _expect(self, told: Order | CancelRequest) -> None:
        self._venue.expect(told)
        self._happens = self._venue.next_at()

    def _work(self, now: Instant) -> None:
        # The tape is known whole: what happens next changes only when something is sent or done.
        while self._happens is not None and self._happens <= now:
            self._happens = self._venue.work(self._happens)
            written = self._venue.written()
            for event in written:
                self._hear(event)
            if self._impacted is not None:
                self._move_market(written)

    def _move_market(self, written: Sequence[Happening]) -> None:
        assert self._impacted is not None, "somebody asked for it"
        fills = [event for event in written if isinstance(event, Execution)]
        for fill in fills:
            self._impacted.count(fill)
        if fills:
            self.tape = self._impacted.tape
            # What was found on the old tape is not what will be.
            self._venue = self._opened()
            self._happens = self._venue.next_at()

    def _hear(self, event: Happening) -> None:
        told_at = event.at + self._options.latency.draw(self._seed, "told", event.seq)
        self._last_told = max(self._last_told, told_at)
        self._untold.append((self._last_told, event))

    def _arrival(self, now: Instant) -> Instant:
        draw = self._options.latency.draw(self._seed, "sent", self._memory.next_number())
        self._last_arrival = max(self._last_arrival, now + draw)
        return self._last_arrival

    def _opened(self) -> Venue:
        return Venue(self._memory, lambda _: self.tape, self._options.tariff)


def _order(
    symbol: str, intent: Intended, number: int, arrives_at: Instant, expires_at: Instant
) -> Order:
    return Order(
        number=number,
        client_id=intent.child_id,
        symbol=symbol,
        side=intent.side,
        qty=intent.qty,
        limit=intent.price,
        time_in_force=intent.time_in_force,
        received_at=intent.at,
        arrives_at=arrives_at,
        expires_at=expires_at,
    )


def _in_order(due: Sequence[Happening]) -> list[ChildFact]:
    """As the inbox sorts a batch: child by child, fills before states, every end last."""
    children: dict[str, tuple[list[ChildFact], list[ChildFact]]] = {}
    ends: list[ChildFact] = []
    for event in due:
        fills, states = children.setdefault(event.order.client_id, ([], []))
        match event:
            case Execution():
                fills.append(_filled(event))
            case records.Rested():
                # That it was sent is known: the venue answered.
                states.append(Rested(event.at, event.order.client_id))
            case records.Ended(status=ChildStatus.CANCELED):
                ends.append(ChildCanceled(event.at, event.order.client_id, event.reason))
            case records.Ended(status=ChildStatus.EXPIRED):
                ends.append(ChildExpired(event.at, event.order.client_id, event.reason))
            case records.Ended():
                # The executions say that it is filled, the answer said that it was refused.
                pass
    begun = [fact for fills, states in children.values() for fact in (*fills, *states)]
    return begun + ends


def _filled(event: Execution) -> Filled:
    return Filled(
        at=event.at,
        child_id=event.order.client_id,
        execution_id=event.execution_id,
        qty=event.qty,
        price=event.price,
        fee=event.fee,
        liquidity=event.liquidity.value,
    )
