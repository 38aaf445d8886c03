"""What a desk learns: reports and answers into the journal, and from there into its memory."""

from collections.abc import Iterator, Sequence

import structlog

from app.domain.fact import Moved
from app.domain.instant import Instant
from app.domain.lifecycle import IllegalMove, OrderStatus
from app.domain.refusal import Refusal
from app.engine import inbox, strangers
from app.engine.adoption import adopted
from app.engine.measuring import Measuring
from app.engine.recent import Recent
from app.engine.shared import Shared
from app.engine.sorting import Lost
from app.failpoints import reach
from app.ports import OrderReport, Report
from app.store import journal
from app.store.doorbell import EVENTS
from app.store.journal import Contradiction, Entry, Recorded

log = structlog.get_logger()

BOOKED_AT_ONCE = 500
"""Reports of one transaction: leases are renewed, and others heard, in between."""

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


def parted(reports: Sequence[Report]) -> Iterator[list[Report]]:
    """Reports in parts that a transaction is soon done with, all of one child in the same part."""
    by_child: dict[str, list[Report]] = {}
    for report in reports:
        by_child.setdefault(report.child_id, []).append(report)
    part: list[Report] = []
    for told in by_child.values():
        part += told
        if len(part) >= BOOKED_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


class Books:
    """One desk's way into the journal. Facts are booked whoever decides what follows.

    `held` are ends that speak of fills nobody has told yet, by child: until those are booked,
    the child's quantity stays reserved.
    """

    def __init__(self, shared: Shared, measuring: Measuring) -> None:
        self.held: dict[str, OrderReport] = {}
        self._account, self._broker = shared.account, shared.broker
        self._database, self._doorbell = shared.database, shared.doorbell
        self._roster, self._watch, self._sender = shared.roster, shared.watch, shared.sender
        self._measuring = measuring
        self._recent = Recent()

    async def record(self, entries: Sequence[Entry], now: Instant) -> None:
        """Record facts and believe what comes of them.

        Where that fails by our mistake, each order for itself: the culprit is stopped.
        """
        if not entries:
            return
        try:
            async with self._database.transaction() as connection:
                recorded = await journal.record(
                    connection,
                    account=self._account,
                    broker=self._broker.name,
                    entries=entries,
                    known=self._roster.known(e.order_id for e in entries),
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
        reach("report.heard")
        fresh = [*self._recent.unheard(reports), *self.held.values()]
        for part in parted(fresh):
            await self._book_or_set_aside(part, now)
        return bool(fresh)

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
        self._recent.remember(booked.recorded)
        for report in reports:
            self.held.pop(report.child_id, None)
        self.held |= {report.child_id: report for report in booked.held}
        await self.take_over(booked.recorded, now)
        reach("report.remembered")
        await self._watch.strangers(booked.strangers, now)
        for child_id in booked.undead:
            # Over for us, open at the broker: whatever it fills will be booked, and it must end.
            log.warning("child is open at the broker though it is over", child_id=child_id)
            self._sender.cancel(child_id, now)
        await self._watch.undead(booked.undead, now)
        await self._adopt(booked.lost, now)

    async def _adopt(self, lost: Sequence[Lost], now: Instant) -> None:
        """Take in children that the broker knows and the journal lost, with all they did."""
        for child in lost:
            fact, reports = await adopted(self._broker, child, now)
            if fact is None:
                # Nothing says what it was: its executions, if any, wait for a human.
                await self._set_aside(child.child_id, reports, LookupError("no terms"), now)
                continue
            log.warning("child adopted", child_id=fact.child_id, order=child.parent.order_id)
            reach("adoption.found")
            await self.record([Entry(child.parent.order_id, [fact], attention=True)], now)
            reach("adoption.recorded")
            await self._watch.adopted(child.parent.order_id, fact, now)
            await self._book_or_set_aside(reports, now)
            reach("adoption.booked")

    async def _set_aside(
        self, child_id: str, reports: Sequence[Report], mistake: Exception, now: Instant
    ) -> None:
        reason = f"could_not_book: {type(mistake).__name__}: {mistake}"[:500]
        await strangers.set_aside(
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
        reach("facts.committed")
        self._doorbell.ring(EVENTS)
        unheld = [r for r in recorded if r.order_id not in self._roster.orders]
        late = [r for r in unheld if r.booked]
        touched = self._roster.take_over(recorded, now)
        reach("facts.remembered")
        await self._watch.orders(touched, now)
        await self._watch.late(late, now)
        await self._watch.busts([r for r in recorded if r.busted], now)
        await self._measuring.measure([order for order in touched if order.execution.done], now)
