"""One desk's reconciliation: asks, books what is told, and concludes from what is not."""

from collections.abc import Mapping

import structlog

from app.domain.instant import Instant, Micros
from app.engine.books import Books
from app.engine.evidence import Evidence, Finding, Missed
from app.engine.inquiry import Inquiry
from app.engine.positions import Positions
from app.engine.reconcile import Found
from app.engine.shared import Shared
from app.failpoints import reach
from app.store.journal import Entry
from app.store.leases import Lease

log = structlog.get_logger()


class Reconciling:
    """Orders, executions and positions at the broker, compared with the journal."""

    def __init__(
        self, shared: Shared, inquiry: Inquiry, evidence: Evidence, books: Books, lease: Lease
    ) -> None:
        self._account, self._roster, self._watch = shared.account, shared.roster, shared.watch
        self._on_the_wire = shared.sender.on_the_wire
        self._inquiry = inquiry
        self._evidence = evidence
        self._positions = Positions(shared.database, shared.account)
        self._books = books
        self._lease = lease
        self._ask_after: Micros | None = None
        self._held: frozenset[str] = frozenset()
        self._asked_of_held: frozenset[str] = frozenset()

    @property
    def pending(self) -> bool:
        """Whether an end is held back whose fills have not been asked for yet."""
        return bool(self._books.held.keys() - self._asked_of_held)

    @property
    def due(self) -> bool:
        """Whether it is time to ask the broker."""
        if self._books.held.keys() - self._held:
            # An end has come before its fills: they are on their way, or were missed.
            self._inquiry.want()
        self._held = frozenset(self._books.held)
        waiting = self._roster.unknown or bool(self._held) or bool(self._books.lost)
        return self._inquiry.due(unknown=waiting, after=self._ask_after)

    def begin(self, now: Instant) -> None:
        """Ask; children whose answer is on its way are left alone."""
        children = [c for c in self._roster.children() if c.id not in self._on_the_wire]
        self._inquiry.begin(children, now)
        reach("reconcile.asked")

    async def finish(self, now: Instant) -> bool:
        """Book the answer if it is there; whether it was."""
        try:
            found = self._inquiry.finished()
        except ConnectionError as away:
            log.warning("broker cannot be asked", account=self._account, error=str(away))
            return False
        if found is None:
            return False
        await self._take(found, now)
        return True

    async def now(self, now: Instant) -> Instant:
        """Ask and book before anything else happens. The latest market time the broker spoke of.

        Raises ConnectionError.
        """
        self.begin(now)
        await self._inquiry.wait()
        found = self._inquiry.finished()
        assert found is not None, "it was waited for"
        await self._take(found, now)
        return found.latest

    async def answer(self, now: Instant) -> None:
        """Wait for the answer and book it."""
        await self._inquiry.wait()
        await self.finish(now)

    async def look_for_overdue(self, now: Instant) -> None:
        """Call an operator for orders whose evidence does not come."""
        index = self._roster.index
        ids = index.unknown | index.canceling | index.closing
        waiting = [self._roster.orders[order_id] for order_id in sorted(ids)]
        finding = self._evidence.overdue([order.execution for order in waiting], now)
        await self._conclude(finding, now)

    async def close(self) -> None:
        await self._inquiry.close()

    async def _take(self, found: Found, now: Instant) -> None:
        reach("reconcile.answered")
        await self._books.adopt_again(now)
        doubted = len(self._books.undead)
        await self._books.book(found.reports, now)
        reach("reconcile.booked")
        if len(self._books.undead) > doubted:
            self._inquiry.want()
        self._asked_of_held = frozenset(self._books.held)
        self._evidence.heard_of(self._inquiry.asked - found.missing.keys())
        agree = await self._compare(found, now)
        finding = self._evidence.missing(self._still_live(found.missing), agree, now)
        self._ask_after = finding.ask_after
        if finding.needs_positions:
            self._inquiry.want(positions=True)
        await self._conclude(finding, now)
        unknown = [self._roster.orders[o] for o in sorted(self._roster.index.unknown)]
        await self._watch.unknown(unknown, self._evidence.silent_for, now)

    async def _compare(self, found: Found, now: Instant) -> dict[str, bool] | None:
        if found.positions is None:
            return None
        trading = {o.symbol for o in self._roster.orders.values() if o.execution.children}
        compared = await self._positions.compare(found.positions, trading)
        await self._watch.positions(compared.breaks, now)
        return compared.agree

    def _still_live(self, missing: Mapping[str, Micros]) -> list[Missed]:
        """Those that were asked about, and have not been heard of meanwhile."""
        found = []
        for child_id in sorted(missing.keys() - self._on_the_wire):
            order = self._roster.of_child(child_id)
            child = order.execution.child(child_id) if order is not None else None
            if order is not None and child is not None:
                found.append(Missed(order.execution, child, missing[child_id]))
        return found

    async def _conclude(self, finding: Finding, now: Instant) -> None:
        entries = [Entry(order_id, facts) for order_id, facts in finding.facts.items()]
        await self._books.record(entries, now, under=self._lease)
        if finding.facts:
            reach("absence.recorded")
        known = (self._roster.orders.get(order_id) for order_id in finding.facts)
        called = [o for o in known if o is not None and o.waits_for_operator]
        await self._watch.needs_operator(called, now)
