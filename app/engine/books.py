"""What a desk learns: reports and answers into the journal, and from there into its memory."""

import time
from collections.abc import Collection, Iterable, Sequence

from app.domain.instant import Instant
from app.engine import inbox, reconcile
from app.engine.market import MarketDesk
from app.engine.roster import Roster
from app.engine.watching import Watch
from app.engine.working import Working
from app.ports import Broker, Report
from app.store import journal, open_orders
from app.store.database import Database
from app.store.doorbell import EVENTS, Doorbell
from app.store.journal import Entry, Recorded

RECONCILE_SECONDS = 30.0
UNKNOWN_SECONDS = 1.0
"""How soon to ask again about a child whose send had no clear answer."""


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

    async def record(self, entries: Sequence[Entry], now: Instant) -> None:
        """Record facts and believe what comes of them."""
        if not entries:
            return
        async with self._database.transaction() as connection:
            recorded = await journal.record(
                connection, account=self._account, broker=self._broker.name, entries=entries
            )
        await self.take_over(recorded, now)

    async def book(self, reports: Sequence[Report], now: Instant) -> bool:
        """Book what the broker told; whether it told anything."""
        if not reports:
            return False
        executions = [order.execution for order in self._roster.orders.values()]
        if any(inbox.missing_fills(execution, reports) for execution in executions):
            reports = [*reports, *await reconcile.executions(self._broker, executions)]
        booked = await inbox.book(
            self._database, account=self._account, broker=self._broker.name, reports=reports
        )
        await self.take_over(booked.recorded, now)
        await self._watch.strangers(booked.strangers, now)
        return True

    async def take_over(self, recorded: Sequence[Recorded], now: Instant) -> None:
        """Remember what the journal says now, tell the stream, look for alarms."""
        if not recorded:
            return
        self._doorbell.ring(EVENTS)
        touched = self._roster.take_over(recorded, now)
        await self._watch.orders(touched, now)
        await self.measure([order for order in touched if order.execution.done], now)

    def reconcile_due(self) -> bool:
        """Every half minute, and every second while some child's fate is not known."""
        patience = UNKNOWN_SECONDS if self._roster.unknown else RECONCILE_SECONDS
        return time.monotonic() - self._reconciled_at > patience

    async def reconcile(self, now: Instant) -> Instant:
        """Ask the broker what it knows of every open child, and book it.

        Returns the latest market time the broker spoke of.
        """
        self._reconciled_at = time.monotonic()
        executions = [order.execution for order in self._roster.orders.values()]
        found = await reconcile.ask(
            self._broker,
            executions,
            now,
            on_the_wire=self._on_the_wire,
            missing_since=self._missing_since,
        )
        await self.record([Entry(o, facts) for o, facts in found.unknown.items()], now)
        await self.book(found.reports, now)
        await self.record([Entry(o, facts) for o, facts in found.absent.items()], now)
        return found.latest

    async def measure(self, orders: Iterable[Working], now: Instant) -> None:
        """Keep what the market traded beside orders, for their interval VWAP."""
        measured = [self._market.measured(order.execution, now) for order in orders]
        if measured:
            async with self._database.connection() as connection:
                await open_orders.measure(connection, account=self._account, measured=measured)
