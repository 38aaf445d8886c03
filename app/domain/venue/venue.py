"""The venue at work: takes what has arrived and what the market did, in the order of time.

What happens depends on the ledger and the tapes alone, never on when the venue is asked: at one
moment the market comes first (prints, then quotes), then the end of the day (and what the closing
auction has done, see `auction`), then what arrives.
Working twice up to the same moment, or in steps, writes the same ledger.
"""

from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from heapq import heappop, heappush

from app.domain.fact import TimeInForce
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO, Side
from app.domain.tape import Tape
from app.domain.venue.auction import is_for_auction, too_late, uncross
from app.domain.venue.book import Book, Match, Working, take
from app.domain.venue.memory import Memory
from app.domain.venue.records import (
    CancelRequest,
    Ended,
    Execution,
    Happening,
    Order,
    Reason,
    Rested,
)
from app.domain.venue.tariff import Tariff


class Venue:
    """The books of one ledger. Made anew from it whenever somebody else wrote there.

    `work` has to run inside a transaction of the ledger.
    """

    def __init__(self, ledger: Memory, tape: Callable[[str], Tape], tariff: Tariff) -> None:
        self._ledger, self._tape, self._tariff = ledger, tape, tariff
        self._seq = ledger.next_seq()
        self._working: dict[str, Working] = {}
        self._books: dict[str, Book] = {}
        self._arriving: list[tuple[Instant, int, Order | CancelRequest]] = []
        self._expiring: list[tuple[Instant, int, Working]] = []
        self._happened: list[Happening] = []
        self._resume_all()
        for cancel in ledger.open_cancels():
            self.expect(cancel)

    def expect(self, told: Order | CancelRequest) -> None:
        """Something is on its way; the ledger has it already."""
        heappush(self._arriving, (told.arrives_at, told.number, told))

    def refuse(self, order: Order, code: str) -> None:
        """The order was never worked; the ledger says so."""
        self._end(Working(order, ZERO, ZERO), ChildStatus.REJECTED, code, order.received_at)

    def next_at(self) -> Instant | None:
        """When something happens next, as far as the tapes are known."""
        self._drop_ended()
        moments = [queue[0][0] for queue in (self._arriving, self._expiring) if queue]
        for symbol, book in self._books.items():
            tape = self._tape_of(symbol)
            if tape is not None and (fills_at := book.next_at(tape)) is not None:
                moments.append(fills_at)
        return min(moments) if moments else None

    def work(self, until: Instant) -> Instant | None:
        """All that happens up to `until`, written in the order of time; what comes `next_at`."""
        while (at := self.next_at()) is not None and at <= until:
            self._market(at)
            self._expire(at)
            self._arrive(at)
        return at

    def open_orders(self) -> list[tuple[Order, Decimal, Instant]]:
        """Orders without an outcome as they came: how much has filled, and when something
        last happened to them."""
        works = [(w.order, w.filled, w.told_at) for w in self._working.values()]
        coming = [(t, ZERO, t.received_at) for _, _, t in self._arriving if isinstance(t, Order)]
        return sorted(works + coming, key=lambda found: found[0].number)

    def written(self) -> list[Happening]:
        """What was written since the last call."""
        happened, self._happened = self._happened, []
        return happened

    def _resume_all(self) -> None:
        rested, own = self._ledger.rested_open(), self._ledger.executions_open()
        since: dict[str, Instant] = {}
        for order in (r.order for r in rested.values()):
            since[order.symbol] = min(order.arrives_at, since.get(order.symbol, order.arrives_at))
        made = {symbol: self._ledger.made_in(symbol, at) for symbol, at in since.items()}
        for order in self._ledger.open_orders():
            if order.number in rested:
                mine = own.get(order.number, [])
                self._resume(rested[order.number], mine, made[order.symbol])
            else:
                # Nothing of it can have happened: its arrival is one transaction.
                self.expect(order)

    def _resume(self, rested: Rested, own: list[Execution], made: list[Execution]) -> None:
        order = rested.order
        working = Working(order, ZERO, ZERO, told_at=max([rested.at, *(e.at for e in own)]))
        for execution in own:
            _count(working, execution.qty, execution.price)
        used: dict[Instant, Decimal] = {e.at: ZERO for e in own if e.at > order.arrives_at}
        for e in made[bisect_right(made, order.arrives_at, key=lambda e: e.at) :]:
            if e.order.priority < order.priority:
                used[e.at] = used.get(e.at, ZERO) + e.qty
        working.past = sorted(used.items())
        self._open(working)

    def _open(self, working: Working) -> None:
        order = working.order
        self._working[order.client_id] = working
        heappush(self._expiring, (order.expires_at, order.number, working))
        if not is_for_auction(order):
            self._books.setdefault(order.symbol, Book()).add(working)

    def _tape_of(self, symbol: str) -> Tape | None:
        try:
            return self._tape(symbol)
        except KeyError:
            # Nobody watches it yet: its orders wait, and live through what they missed later.
            return None

    def _market(self, at: Instant) -> None:
        for symbol, book in sorted(self._books.items()):
            tape = self._tape_of(symbol)
            if tape is None or book.next_at(tape) != at:
                continue
            matches, taking = book.pass_moment(tape, at)
            for match in matches:
                self._fill(match, at)
            for working in taking:
                self._take(tape, working, at)

    def _expire(self, at: Instant) -> None:
        while self._expiring and self._expiring[0][0] <= at:
            _, _, working = heappop(self._expiring)
            if self._is_open(working) and not self._uncross(working, at):
                self._end(working, ChildStatus.EXPIRED, Reason.DAY_ENDED, at)

    def _uncross(self, working: Working, at: Instant) -> bool:
        order = working.order
        match = uncross(self._tape_of(order.symbol), working) if is_for_auction(order) else None
        if match is not None:
            self._fill(match, at)
        return match is not None

    def _arrive(self, at: Instant) -> None:
        while self._arriving and self._arriving[0][0] <= at:
            _, _, told = heappop(self._arriving)
            if isinstance(told, Order):
                self._enter(told)
            elif (working := self._working.get(told.client_id)) is not None:
                if too_late(working.order, told.arrives_at):
                    continue
                self._end(working, ChildStatus.CANCELED, Reason.REQUESTED, told.arrives_at)

    def _enter(self, order: Order) -> None:
        working, at = Working(order, ZERO, ZERO), order.arrives_at
        if not is_for_auction(order):
            self._take(self._tape_of(order.symbol), working, at)
        if not working.leaves:
            return
        if order.time_in_force is TimeInForce.IOC:
            self._end(working, ChildStatus.CANCELED, Reason.IOC_REST, at)
            return
        self._write(Rested(self._seq, order, working.filled, at))
        working.told_at = at
        self._open(working)

    def _take(self, tape: Tape | None, working: Working, at: Instant) -> None:
        def taken(side: Side, shown_at: Instant) -> Decimal:
            return self._ledger.taken(working.order.symbol, side, shown_at)

        match = take(tape, at, working, taken)
        if match is not None:
            self._fill(match, at)

    def _fill(self, match: Match, at: Instant) -> None:
        working, qty, price = match.working, match.qty, match.price
        charged = self._tariff.total(working.filled, working.notional)
        _count(working, qty, price)
        fee = self._tariff.total(working.filled, working.notional) - charged
        order, liquidity = working.order, match.liquidity
        self._write(Execution(self._seq, order, qty, price, fee, liquidity, at, match.shown_at))
        working.told_at = at
        if not working.leaves:
            self._end(working, ChildStatus.FILLED, None, at)

    def _end(self, working: Working, status: ChildStatus, reason: str | None, at: Instant) -> None:
        order = working.order
        self._write(Ended(self._seq, order, status, reason, working.filled, at))
        if self._is_open(working):
            del self._working[order.client_id]
            if is_for_auction(order):
                return
            self._books[order.symbol].remove(working)
            if not self._books[order.symbol]:
                del self._books[order.symbol]

    def _write(self, event: Happening) -> None:
        self._ledger.add(event)
        self._seq += 1
        self._happened.append(event)

    def _is_open(self, working: Working) -> bool:
        return self._working.get(working.order.client_id) is working

    def _drop_ended(self) -> None:
        """Cancels and day ends of orders that are over are no happenings to wait for."""
        while self._expiring and not self._is_open(self._expiring[0][2]):
            heappop(self._expiring)
        while self._arriving and self._idle(self._arriving[0][2]):
            heappop(self._arriving)

    def _idle(self, told: Order | CancelRequest) -> bool:
        # A cancel that comes before its order finds nothing to end, and never overtakes it.
        return not isinstance(told, Order) and told.client_id not in self._working


def _count(working: Working, qty: Decimal, price: Decimal) -> None:
    working.filled += qty
    working.notional += qty * price
