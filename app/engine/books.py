"""What a desk learns: reports and answers into the journal, and from there into its memory."""

import time
from collections.abc import Collection, Iterable, Sequence

import structlog

from app.domain.fact import Moved
from app.domain.instant import Instant
from app.domain.lifecycle import IllegalMove, OrderStatus
from app.domain.refusal import Refusal
from app.engine import inbox, reconcile
from app.engine.market import MarketDesk
from app.engine.roster import Roster
from app.engine.watching import Watch
from app.engine.working import Working
from app.ports import Broker, Report
from app.store import journal, open_orders
from app.store.database import Database
from app.store.doorbell import EVENTS, Doorbell
from app.store.journal import Contradiction, Entry, Recorded

log = structlog.get_logger()

RECONCILE_SECONDS = 30.0
UNKNOWN_SECONDS = 1.0
"""How soon to ask again about a child whose send had no clear answer."""


OUR_MISTAKES = (
    AssertionError,
    ArithmeticError,
    Contradiction,
    IllegalMove,
    LookupError,
    Refusal,
    ValueError,
)
"""What only a mistake of ours raises; it concerns one order, and must not end the others."""


class Books:
    """One desk's way into the journal. Facts are booked whoever decides what follows."""

    def __init__(
        self,
        *,
        account: str,
        broker: Broker,
        database: Database,
        doorbell: Doorbell,
        market: MarketDesk,
        roster: Roster,
        watch: Watch,
        on_the_wire: Collection[str],
    ) -> None:
        self._account = account
        self._broker = broker
        self._database = database
        self._doorbell = doorbell
        self._market = market
        self._roster = roster
        self._watch = watch
        self._on_the_wire = on_the_wire
        self._missing_since: dict[str, float] = {}
        self._reconciled_at = 0.0
        self._seen_to: Instant = 0

    async def record(self, entries: Sequence[Entry], now: Instant) -> None:
        """Record facts and believe what comes of them.

        Where that fails by our mistake, each order for itself: the culprit is stopped.
        """
        if not entries:
            return
        try:
            async with self._database.transaction() as connection:
                recorded = await journal.record(
                    connection, account=self._account, broker=self._broker.name, entries=entries
                )
        except OUR_MISTAKES as mistake:
            if len(entries) == 1:
                await self.stop(entries[0].order_id, mistake, now)
                return
            for entry in entries:
                await self.record([entry], now)
            return
        await self.take_over(recorded, now)

    async def hear(self, now: Instant) -> bool:
        """Book what the broker has to tell; a broker that is away tells nothing."""
        try:
            reports = await self._broker.reports(now)
        except ConnectionError as away:
            log.warning("broker tells nothing", account=self._account, error=str(away))
            return False
        return await self.book(reports, now)

    async def book(self, reports: Sequence[Report], now: Instant) -> bool:
        """Book what the broker told; whether it told anything."""
        if not reports:
            return False
        executions = self._roster.executions
        if any(inbox.missing_fills(execution, reports) for execution in executions):
            missing = await reconcile.executions(self._broker, executions, self._seen_to)
            reports = [*reports, *missing]
        await self._book_or_set_aside(reports, now)
        return True

    async def _book_or_set_aside(self, reports: Sequence[Report], now: Instant) -> None:
        """A report that cannot be booked is kept for a human and must not stop the others."""
        try:
            booked = await inbox.book(
                self._database, account=self._account, broker=self._broker.name, reports=reports
            )
        except OUR_MISTAKES as mistake:
            ids = sorted({report.child_id for report in reports})
            if len(ids) > 1:
                for child_id in ids:
                    of_child = [report for report in reports if report.child_id == child_id]
                    await self._book_or_set_aside(of_child, now)
                return
            await self._set_aside(ids[0], reports, mistake, now)
            return
        await self.take_over(booked.recorded, now)
        await self._watch.strangers(booked.strangers, now)

    async def _set_aside(
        self, child_id: str, reports: Sequence[Report], mistake: Exception, now: Instant
    ) -> None:
        reason = f"could_not_book: {type(mistake).__name__}: {mistake}"[:500]
        await inbox.set_aside(
            self._database,
            account=self._account,
            broker=self._broker.name,
            reports=reports,
            reason=reason,
        )
        order = self._roster.of_child(child_id)
        if order is not None:
            await self.stop(order.order_id, mistake, now)

    async def stop(self, order_id: str, mistake: Exception, now: Instant) -> None:
        """A failed check stops the order it is about, with an alarm, not the server."""
        log.error("order stopped by a failed check", order=order_id, exc_info=mistake)
        order = self._roster.orders.get(order_id)
        if order is None:
            return
        await self._watch.stopped(order, mistake, now)
        if order.execution.status is not OrderStatus.NEEDS_OPERATOR:
            reason = f"internal.{type(mistake).__name__}"
            moved = Moved(now, OrderStatus.NEEDS_OPERATOR, reason)
            async with self._database.transaction() as connection:
                recorded = await journal.record(
                    connection,
                    account=self._account,
                    broker=self._broker.name,
                    entries=[Entry(order_id, [moved])],
                )
            await self.take_over(recorded, now)

    async def take_over(self, recorded: Sequence[Recorded], now: Instant) -> None:
        """Remember what the journal says now, tell the stream, look for alarms."""
        if not recorded:
            return
        self._doorbell.ring(EVENTS)
        late = [r for r in recorded if r.order_id not in self._roster.orders and r.booked]
        touched = self._roster.take_over(recorded, now)
        await self._watch.orders(touched, now)
        await self._watch.late(late, now)
        await self.measure([order for order in touched if order.execution.done], now)

    async def begin(self, now: Instant) -> None:
        """Learn from where on executions may be news."""
        async with self._database.connection() as connection:
            last = await open_orders.last_fill_at(connection, account=self._account)
        self._seen_to = min(last, now) if last is not None else now

    def reconcile_due(self) -> bool:
        """Every half minute, and every second while some child's fate is not known."""
        patience = UNKNOWN_SECONDS if self._roster.unknown else RECONCILE_SECONDS
        return time.monotonic() - self._reconciled_at > patience

    async def reconcile(self, now: Instant) -> Instant:
        """Ask the broker what it knows of every open child, and book it.

        Returns the latest market time the broker spoke of.
        """
        self._reconciled_at = time.monotonic()
        executions = self._roster.executions
        found = await reconcile.ask(
            self._broker,
            executions,
            now,
            seen_to=self._seen_to,
            on_the_wire=self._on_the_wire,
            missing_since=self._missing_since,
        )
        await self.record([Entry(o, facts) for o, facts in found.unknown.items()], now)
        await self.book(found.reports, now)
        await self.record([Entry(o, facts) for o, facts in found.absent.items()], now)
        self._seen_to = max(self._seen_to, now)
        await self._watch.unknown(list(self._roster.orders.values()), self._missing_since, now)
        return found.latest

    async def measure(self, orders: Iterable[Working], now: Instant) -> None:
        """Keep what the market traded beside orders, for their interval VWAP."""
        asked = [self._market.measured(order.execution, now) for order in orders]
        measured = [one for one in asked if one is not None]
        if measured:
            async with self._database.connection() as connection:
                await open_orders.measure(connection, account=self._account, measured=measured)
