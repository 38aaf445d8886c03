"""The desk: sole planner and sender of one account at one broker.

Everything it remembers can be read back from the journal; losing it costs nothing. Facts come in,
due orders are decided, intents are committed, children leave, and it is quiet again.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import structlog

from app.domain.actions import Cancel, Decision
from app.domain.alert import Thresholds
from app.domain.decide import decide
from app.domain.fact import ChildFact, Fact, Intended, Purpose
from app.domain.guards import Desk as DeskFacts
from app.domain.instant import SECOND, Instant
from app.domain.quantity import Side
from app.engine import facts, inbox, reconcile, watching
from app.engine.market import MarketDesk
from app.engine.sending import Sender
from app.engine.working import Working, plan_for
from app.ports import Broker, Report
from app.store import controls, journal, open_orders
from app.store.database import Database
from app.store.doorbell import EVENTS, Doorbell
from app.store.intents import intend
from app.store.journal import Entry, Recorded
from app.store.leases import Lease
from app.store.open_orders import Loaded

log = structlog.get_logger()

ROUNDS_MAX = 1_000
"""More rounds than this at one moment means that something never comes to rest."""

CANCEL_RETRY = 5 * SECOND
RECONCILE_SECONDS = 30.0


class NeverQuiet(Exception):
    """Decisions at one moment did not come to rest: our own mistake, not the market's."""


class Desk:
    """One account's orders, while we own them."""

    def __init__(
        self,
        *,
        account: str,
        broker: Broker,
        database: Database,
        doorbell: Doorbell,
        market: MarketDesk,
        thresholds: Thresholds,
        lease: Lease,
        safe: Callable[[], bool],
    ) -> None:
        self.account = account
        self.broker = broker
        self.lease = lease
        self.orders: dict[str, Working] = {}
        self._database = database
        self._doorbell = doorbell
        self._market = market
        self._watch = watching.Watch(database, account, thresholds)
        self._sender = Sender(broker, self._answered, safe, market.clock.now)
        self._due: list[tuple[Instant, int, str]] = []
        self._answers: list[tuple[str, ChildFact]] = []
        self._halts: dict[tuple[str, str], str] = {}
        self._reconciled_at = 0.0

    # ---- life

    async def open(self, now: Instant) -> Instant:
        """Load, reconcile with the broker before any send, apply restart policies.

        Returns the latest market time that the broker knows of.
        """
        async with self._database.connection() as connection:
            loaded = await open_orders.all_open(
                connection, account=self.account, broker=self.broker.name
            )
            await open_orders.take_attention(
                connection, account=self.account, broker=self.broker.name
            )
            self._halts = await controls.halts(connection, account=self.account)
        for order in loaded:
            self._remember(order)
        latest = await self.reconcile(now)
        await self._restart(loaded, max(now, latest))
        for order_id in self.orders:
            self._push(order_id, now)
        return latest

    async def close(self) -> None:
        """Let what is on the wire come back."""
        await self._sender.settled()
        await self._book_answers()

    # ---- the loop's side

    async def settle(self, now: Instant, *, stepped: bool) -> bool:
        """Work until nothing is left to do at `now`. Whether anything was done."""
        worked = False
        for _ in range(ROUNDS_MAX):
            busy = await self._book_reports(now)
            busy |= await self._decide_due(now)
            if stepped:
                # Market time stands still until the venue has answered.
                await self._sender.settled()
            busy |= await self._book_answers()
            if not busy:
                return worked
            worked = True
        raise NeverQuiet(f"account {self.account} at {now}")

    def next_at(self, now: Instant) -> Instant | None:
        """The next market time at which there is something to do."""
        while self._due and not self._current(self._due[0]):
            heapq.heappop(self._due)
        moments = [self._due[0][0]] if self._due else []
        venue = self.broker.next_at(now)
        return min([*moments, venue] if venue is not None else moments, default=None)

    async def look(self, now: Instant) -> None:
        """See commands, new orders and halts; ask again for cancels that brought no evidence."""
        async with self._database.connection() as connection:
            wanted = await open_orders.take_attention(
                connection, account=self.account, broker=self.broker.name
            )
            halts = await controls.halts(connection, account=self.account)
        if halts != self._halts:
            self._halts = halts
            wanted = [*wanted, *self.orders]
        await self._reload(wanted, now)
        self._retry_cancels(now)
        if time.monotonic() - self._reconciled_at > RECONCILE_SECONDS:
            await self.reconcile(now)

    def updated(self, symbols: Iterable[str], now: Instant) -> None:
        """Live feeds: wake orders whose triggers fired since they were decided."""
        symbols = set(symbols)
        for order in self.orders.values():
            if order.symbol in symbols and order.decided is not None:
                since = order.decided_at or now
                if self._market.first(order.symbol, order.decided.triggers, since, now):
                    self._push(order.order_id, now)

    # ---- facts in

    async def reconcile(self, now: Instant) -> Instant:
        """Ask the broker what it knows of every open child, and book it."""
        self._reconciled_at = time.monotonic()
        found = await reconcile.ask(self.broker, [o.execution for o in self.orders.values()], now)
        if found.unknown:
            await self._record([Entry(o, fs) for o, fs in found.unknown.items()], now)
        await self._book(found.reports, now)
        if found.absent:
            await self._record([Entry(o, fs) for o, fs in found.absent.items()], now)
        return found.latest

    async def _book_reports(self, now: Instant) -> bool:
        return await self._book(await self.broker.reports(now), now)

    async def _book(self, reports: Sequence[Report], now: Instant) -> bool:
        if not reports:
            return False
        executions = [o.execution for o in self.orders.values()]
        if any(inbox.missing_fills(execution, reports) for execution in executions):
            reports = [*reports, *await reconcile.executions(self.broker, executions)]
        booked = await inbox.book(
            self._database, account=self.account, broker=self.broker.name, reports=reports
        )
        await self._take_over(booked.recorded, now)
        if booked.strangers:
            await self._watch.strangers(booked.strangers, now)
        return True

    def _answered(self, order_id: str, fact: ChildFact) -> None:
        self._answers.append((order_id, fact))

    async def _book_answers(self) -> bool:
        answers, self._answers = self._answers, []
        by_order: dict[str, list[Fact]] = {}
        for order_id, fact in answers:
            by_order.setdefault(order_id, []).append(fact)
        entries = [Entry(order_id, found) for order_id, found in by_order.items()]
        await self._record(entries, self._market.clock.now())
        return bool(answers)

    async def _record(self, entries: Sequence[Entry], now: Instant) -> None:
        if not entries:
            return
        async with self._database.transaction() as connection:
            recorded = await journal.record(
                connection, account=self.account, broker=self.broker.name, entries=entries
            )
        await self._take_over(recorded, now)

    async def _take_over(self, recorded: Sequence[Recorded], now: Instant) -> None:
        """Remember what the journal says now, and look at those orders again."""
        finished = []
        touched = []
        for result in recorded:
            order = self.orders.get(result.order_id)
            if order is None:
                continue
            order.become(result.execution, result.version)
            for fill in result.booked:
                order.filled_notional += fill.qty * fill.price
                order.behind_since = None
            touched.append(order)
            if result.execution.done:
                finished.append(self.orders.pop(result.order_id))
            else:
                self._push(result.order_id, now)
            self._free_self_match(order, now)
        if recorded:
            self._doorbell.ring(EVENTS)
        await self._watch.orders(touched, now)
        await self.measure(finished, now)

    # ---- decisions out

    async def _decide_due(self, now: Instant) -> bool:
        due = self._pop_due(now)
        decisions = [(order, self._decide(order, now)) for order in due]
        acting = [(order, decision) for order, decision in decisions if decision.actions]
        waiting = [(order, decision) for order, decision in decisions if not decision.actions]
        for order, decision in waiting:
            self._wait(order, decision, now)
        await self._watch.orders([o for o, _ in waiting if o.behind_since is not None], now)
        if acting:
            await self._act(acting, now)
        return bool(acting)

    def _decide(self, order: Working, now: Instant) -> Decision:
        execution = order.execution
        market = self._market.market_for(execution, now)
        decision = decide(execution, order.plan, self._facts_for(order), market, now)
        order.decided, order.decided_at = decision, now
        return decision

    async def _act(self, acting: Sequence[tuple[Working, Decision]], now: Instant) -> None:
        entries = []
        for order, decision in acting:
            for action in decision.actions:
                if isinstance(action, Cancel):
                    # Sent before it is written: a cancel waits for no commit.
                    self._sender.cancel(action.child_id, now)
            market = self._market.market_for(order.execution, now)
            entries.append(facts.entry(order, decision, market, now))
        recorded, stopped = await intend(
            self._database,
            account=self.account,
            broker=self.broker.name,
            lease=self.lease,
            entries=entries,
            symbols={o.order_id: o.symbol for o, _ in acting},
            strategies={o.order_id: o.strategy for o, _ in acting},
        )
        await self._take_over(recorded, now)
        by_id = {entry.order_id: entry for entry in entries}
        for result in recorded:
            if result.stale:
                await self._reload([result.order_id], now)
                continue
            intents = [f for f in by_id[result.order_id].facts if isinstance(f, Intended)]
            symbol = result.execution.task.instrument.symbol
            self._sender.send(result.order_id, symbol, intents)
        if stopped:
            await self._see_halts(stopped, now)

    async def _see_halts(self, stopped: Iterable[str], now: Instant) -> None:
        """A halt was seen under lock that we did not know yet."""
        async with self._database.connection() as connection:
            self._halts = await controls.halts(connection, account=self.account)
        for order_id in stopped:
            self._push(order_id, now)

    def _wait(self, order: Working, decision: Decision, now: Instant) -> None:
        """Sleep until the decision's own moment or the first of its triggers."""
        look_at = decision.look_at
        if decision.triggers:
            until = look_at or order.execution.task.end
            if self._market.clock.stepped:
                fires = self._market.first(order.symbol, decision.triggers, now, until)
                look_at = min(until, fires) if fires is not None else look_at
        stall = self._watch.stall_at(order, now)
        moments = [at for at in (look_at, stall) if at is not None and at > now]
        if moments:
            self._push(order.order_id, min(moments))

    # ---- memory

    def _remember(self, loaded: Loaded) -> None:
        execution = loaded.execution
        symbol = execution.task.instrument.symbol
        self.orders[execution.task.order_id] = Working(
            execution=execution,
            version=loaded.version,
            plan=plan_for(execution.task, execution.anchor),
            strategy=loaded.strategy,
            arrival_mid=loaded.arrival_mid,
            filled_notional=loaded.filled_notional,
        )
        if symbol not in self._market.watched:
            log.error("no feed for an open order", symbol=symbol)

    async def _reload(self, order_ids: Iterable[str], now: Instant) -> None:
        ids = sorted(set(order_ids))
        if not ids:
            return
        async with self._database.connection() as connection:
            loaded = await open_orders.load(connection, account=self.account, order_ids=ids)
        for order in loaded:
            order_id = order.execution.task.order_id
            if order.execution.done:
                self.orders.pop(order_id, None)
                continue
            known = self.orders.get(order_id)
            if known is None:
                self._remember(order)
            else:
                known.become(order.execution, order.version)
            self._push(order_id, now)

    async def _restart(self, loaded: Sequence[Loaded], now: Instant) -> None:
        entries = reconcile.restart_entries(loaded, self.lease.orphaned_seconds, now)
        await self._record(entries, now)

    def _push(self, order_id: str, at: Instant) -> None:
        order = self.orders.get(order_id)
        if order is not None:
            order.token += 1
            heapq.heappush(self._due, (at, order.token, order_id))

    def _current(self, item: tuple[Instant, int, str]) -> bool:
        order = self.orders.get(item[2])
        return order is not None and order.token == item[1]

    def _pop_due(self, now: Instant) -> list[Working]:
        due = []
        while self._due and self._due[0][0] <= now:
            item = heapq.heappop(self._due)
            if self._current(item):
                due.append(self.orders[item[2]])
        return due

    def _facts_for(self, order: Working) -> DeskFacts:
        return DeskFacts(
            halt=controls.halt_for(self._halts, symbol=order.symbol, strategy=order.strategy),
            own_bid=self._best_own(order, Side.BUY),
            own_ask=self._best_own(order, Side.SELL),
        )

    def _best_own(self, order: Working, side: Side) -> Decimal | None:
        prices = [
            child.price
            for other in self.orders.values()
            if other is not order and other.symbol == order.symbol
            for child in other.execution.children
            if child.side is side and child.purpose is Purpose.REST
        ]
        if not prices:
            return None
        return max(prices) if side is Side.BUY else min(prices)

    def _free_self_match(self, changed: Working, now: Instant) -> None:
        for other in self.orders.values():
            held = other.decided is not None and other.decided.bound == "self_match"
            if held and other is not changed and other.symbol == changed.symbol:
                self._push(other.order_id, now)

    def _retry_cancels(self, now: Instant) -> None:
        for order in self.orders.values():
            for child in order.execution.children:
                asked = child.cancel_requested_at
                if asked is not None and now - asked > CANCEL_RETRY:
                    self._sender.cancel(child.id, now)

    async def measure(self, orders: Iterable[Working], now: Instant) -> None:
        """Keep what the market traded beside these orders, for their interval VWAP."""
        measured = [self._market.measured(order.execution, now) for order in orders]
        if measured:
            async with self._database.connection() as connection:
                await open_orders.measure(connection, account=self.account, measured=measured)
