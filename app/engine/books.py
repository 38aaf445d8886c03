"""What a desk learns: reports and answers into the journal, and from there into its memory."""

from collections.abc import Sequence

import structlog

from app.domain.fact import Moved
from app.domain.instant import Instant
from app.domain.lifecycle import IllegalMove, OrderStatus
from app.domain.refusal import Refusal
from app.engine import exit_alarms, inbox, strangers
from app.engine.adoption import adopted
from app.engine.marking import Marking
from app.engine.measuring import Measuring
from app.engine.recent import Recent, Twice
from app.engine.shared import Shared
from app.engine.sorting import Lost, parted, waiting
from app.failpoints import reach
from app.ports import OrderReport, Report, illegible
from app.store import children, journal
from app.store.doorbell import EVENTS
from app.store.intents import conclude
from app.store.journal import Contradiction, Entry, Recorded, Unwritable
from app.store.leases import Lease

log = structlog.get_logger()

FAILED_AT_ONCE = 3
"""Look-ups of lost children that fail before the others wait as well: each may take a while."""

REMEMBERED_MAX = 10_000

OUR_MISTAKES = (
    AssertionError,
    ArithmeticError,
    Contradiction,
    IllegalMove,
    LookupError,
    Refusal,
    Unwritable,
    ValueError,
)
"""What only a mistake of ours or a value nobody can keep raises; it concerns one order, and must
not end the others."""


class Illegible(ValueError):
    """What the broker said of a child cannot be read: what became of it is not known."""


class Books:
    """One desk's way into the journal. Facts are booked whoever decides what follows.

    `held` are ends that speak of fills nobody has told yet, by child: until those are booked,
    the child's quantity stays reserved. `lost` are children, by id, of which the broker could not
    be asked yet what they were: their orders must send nothing meanwhile.
    """

    def __init__(self, shared: Shared, measuring: Measuring, marking: Marking) -> None:
        self.held: dict[str, OrderReport] = {}
        self.lost: dict[str, Lost] = {}
        self._account, self._broker = shared.account, shared.broker
        self._database, self._doorbell = shared.database, shared.doorbell
        self._roster, self._watch, self._sender = shared.roster, shared.watch, shared.sender
        self._measuring, self._marking = measuring, marking
        self._pace = shared.pace
        self._recent = Recent()
        self.undead = Twice()
        self._illegible: set[tuple[str, str | None]] = set()

    async def record(
        self, entries: Sequence[Entry], now: Instant, under: Lease | None = None
    ) -> None:
        """Record facts and believe what comes of them; conclusions of our own `under` our lease.

        Where that fails by our mistake, each order for itself: the culprit is stopped.
        """
        if not entries:
            return
        try:
            recorded = await self._recorded(entries, under)
        except OUR_MISTAKES as mistake:
            if len(entries) == 1:
                await self.stop(entries[0].order_id, mistake, now)
                return
            for entry in entries:
                await self.record([entry], now, under)
            return
        await self._refused(entries, now)
        await self.take_over(recorded, now)

    async def _refused(self, entries: Sequence[Entry], now: Instant) -> None:
        orders = self._roster.orders
        await self._pace.refused(entries, orders, now)
        await self._watch.raised(exit_alarms.refused(entries, orders), now)

    async def _recorded(self, entries: Sequence[Entry], under: Lease | None) -> list[Recorded]:
        known = self._roster.known(e.order_id for e in entries)
        account, broker = self._account, self._broker.name
        if under is not None:
            return await conclude(
                self._database,
                account=account,
                broker=broker,
                lease=under,
                entries=entries,
                known=known,
            )
        async with self._database.transaction() as connection:
            return await journal.record(
                connection, account=account, broker=broker, entries=entries, known=known
            )

    async def hear(self, now: Instant, answers: Sequence[Entry] = ()) -> bool:
        """Book what the broker has to tell, and with it its answers to what was sent; a broker
        that is away tells nothing. Whether there was anything."""
        reports: Sequence[Report] = ()
        try:
            reports = await self._broker.reports(now)
        except ConnectionError as away:
            log.warning("broker tells nothing", account=self._account, error=str(away))
        return await self.book(reports, now, answers)

    async def book(
        self, reports: Sequence[Report], now: Instant, answers: Sequence[Entry] = ()
    ) -> bool:
        """Book what the broker told, and answers before it; whether it told anything."""
        if not reports:
            await self.record(answers, now)
            return bool(answers)
        reach("report.heard")
        for report in filter(illegible, reports):
            await self._stop_for(report, now)
        legible = [report for report in reports if not illegible(report)]
        fresh = [*self._recent.unheard(legible), *self.held.values()]
        if not fresh:
            await self.record(answers, now)
            return bool(answers)
        for part in parted(fresh):
            await self._book_or_set_aside(part, now, answers)
            answers = ()
        return True

    async def _book_or_set_aside(
        self, reports: Sequence[Report], now: Instant, answers: Sequence[Entry] = ()
    ) -> None:
        """A report that cannot be booked is kept for a human and must not stop the others."""
        known = self._roster.known_by_child(report.child_id for report in reports)
        try:
            booked = await inbox.book(
                self._database,
                account=self._account,
                broker=self._broker.name,
                reports=reports,
                answers=answers,
                known=known | self._roster.known(entry.order_id for entry in answers),
            )
        except OUR_MISTAKES as mistake:
            if answers:
                await self.record(answers, now)
                await self._book_or_set_aside(reports, now)
                return
            ids = sorted({report.child_id for report in reports})
            if len(ids) > 1:
                for child_id in ids:
                    of_child = [report for report in reports if report.child_id == child_id]
                    await self._book_or_set_aside(of_child, now)
                return
            await self._set_aside(ids[0], reports, mistake, now)
            return
        await self._refused(answers, now)
        self._recent.remember(booked.recorded)
        self.held = waiting(self.held, reports, booked.held)
        await self.take_over(booked.recorded, now)
        reach("report.remembered")
        await self._watch.strangers(booked.strangers, now)
        undead = self.undead.told(booked.undead)
        for child_id in undead:
            # Over for us, open at the broker: whatever it fills will be booked, and it must end.
            log.warning("child is open at the broker though it is over", child_id=child_id)
            self._sender.cancel(child_id, now)
        await self._watch.undead(undead, now)
        await self._adopt(booked.lost, now)

    async def _adopt(self, lost: Sequence[Lost], now: Instant) -> None:
        """Take in children that the broker knows and the journal lost, with all they did.

        One that the broker cannot be asked about now waits for `adopt_again`; the others do not.
        """
        failed = 0
        for child in lost:
            waits = self.lost.get(child.child_id)
            if waits is not None or failed >= FAILED_AT_ONCE:
                self._wait_for(child if waits is None else waits.joined(child))
                continue
            try:
                fact, reports = await adopted(self._broker, child, now)
            except ConnectionError as away:
                failed += 1
                log.error("lost child: not looked up", child_id=child.child_id, error=str(away))
                self._wait_for(child)
                continue
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

    def _wait_for(self, child: Lost) -> None:
        self.lost[child.child_id] = child

    async def adopt_again(self, now: Instant) -> None:
        """Ask once more about lost children that the broker could not be asked about."""
        lost, self.lost = list(self.lost.values()), {}
        await self._adopt(lost, now)
        found = {child.parent.order_id for child in lost} - self.incomplete
        self._roster.wake(found, now)

    @property
    def incomplete(self) -> set[str]:
        """Orders with a lost child: whatever they sent now might be too much."""
        return {child.parent.order_id for child in self.lost.values()}

    async def _stop_for(self, report: Report, now: Instant) -> None:
        """Stop the order of a child whose fate was told and cannot be read; once for each."""
        assert isinstance(report, OrderReport)
        if (report.child_id, report.reason) in self._illegible:
            return
        if len(self._illegible) >= REMEMBERED_MAX:
            self._illegible.clear()
        self._illegible.add((report.child_id, report.reason))
        why = report.reason or ""
        async with self._database.connection() as connection:
            owners = await children.owners(
                connection, account=self._account, child_ids=[report.child_id]
            )
        owner = owners.get(report.child_id)
        order_id = owner.order_id if owner is not None else None
        await self._watch.illegible(report.child_id, order_id, why, now)
        if order_id is not None:
            await self.stop(order_id, Illegible(why), now)

    async def _set_aside(
        self, child_id: str, reports: Sequence[Report], mistake: Exception, now: Instant
    ) -> None:
        log.error("reports set aside", child_id=child_id, reports=len(reports), exc_info=mistake)
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
        self._marking.note(recorded)
        unheld = [r for r in recorded if r.order_id not in self._roster.orders]
        late = [r for r in unheld if r.booked]
        touched = self._roster.take_over(recorded, now)
        reach("facts.remembered")
        await self._watch.orders(touched, now)
        await self._watch.late(late, now)
        await self._watch.busts([r for r in recorded if r.busted], now)
        await self._measuring.measure([order for order in touched if order.execution.done], now)
