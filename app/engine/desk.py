"""The desk: sole planner and sender of one account at one broker.

Everything it remembers can be read back from the journal; losing it costs nothing. Facts come in,
due orders are decided, intents are committed, children leave, and it is quiet again.
"""

from collections.abc import Callable, Iterable, Sequence

import structlog

from app.domain.actions import Cancel, Decision, Send
from app.domain.alert import Thresholds
from app.domain.decide import decide
from app.domain.fact import ChildFact, Fact, Intended
from app.domain.instant import Instant
from app.engine import facts, reconcile
from app.engine.books import OUR_MISTAKES, Books
from app.engine.halting import Halting
from app.engine.market import MarketDesk
from app.engine.roster import Leaving, Roster
from app.engine.sending import Sender
from app.engine.watching import Watch
from app.engine.working import Working
from app.ports import Broker
from app.store import leases, open_orders
from app.store.database import Database
from app.store.doorbell import Doorbell
from app.store.intents import intend
from app.store.journal import Entry, Recorded
from app.store.leases import Lease
from app.store.open_orders import Loaded

log = structlog.get_logger()

ROUNDS_MAX = 1_000
"""More rounds than this at one moment means that something never comes to rest."""


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
        self._roster = Roster()
        self._database = database
        self._market = market
        self._watch = Watch(database, account, thresholds)
        self._sender = Sender(broker, self._answered, safe, market.clock.now)
        self._answers: list[tuple[str, ChildFact]] = []
        self._books = Books(
            account=account,
            broker=broker,
            database=database,
            doorbell=doorbell,
            market=market,
            roster=self._roster,
            watch=self._watch,
            on_the_wire=self._sender.on_the_wire,
        )

        self._halting = Halting(account, self._sender.cancel, self._books.record)

    async def measure(self, now: Instant) -> None:
        """Keep what the market traded beside every open order."""
        await self._books.measure(list(self._roster.orders.values()), now)

    @property
    def orders(self) -> int:
        """How many are open."""
        return len(self._roster.orders)

    @property
    def waits_for_evidence(self) -> bool:
        return self._roster.unknown

    async def open(self, now: Instant) -> Instant:
        """Load, reconcile with the broker before any send, apply restart policies.

        Returns the latest market time that the broker knows of.
        """
        async with self._database.connection() as connection:
            loaded = await open_orders.all_open(
                connection, account=self.account, broker=self.broker.name
            )
        await self._see_halts(now)
        await self._remember(loaded, now)
        await self._books.begin(now)
        latest = await self._books.reconcile(now)
        policies = reconcile.restart_entries(loaded, self.lease.orphaned_seconds, max(now, latest))
        await self._books.record(policies, now)
        return latest

    async def close(self) -> None:
        """Let what is on the wire come back."""
        await self._sender.settled()
        await self._book_answers()

    async def settle(self, now: Instant, *, stepped: bool) -> bool:
        """Work until nothing is left to do at `now`. Whether anything was done."""
        worked = False
        for _ in range(ROUNDS_MAX):
            busy = await self._books.hear(now)
            busy |= await self._decide_due(now)
            if stepped:  # Market time stands still until the venue has answered.
                await self._sender.settled()
            busy |= await self._book_answers()
            if not busy:
                return worked
            worked = True
        raise NeverQuiet(f"account {self.account} at {now}")

    def next_at(self, now: Instant) -> Instant | None:
        """The next market time at which there is something to do."""
        moments = (self._roster.next_at(), self.broker.next_at(now))
        return min((at for at in moments if at is not None), default=None)

    async def look(self, now: Instant) -> None:
        """See commands, new orders and halts; ask again for cancels that brought no evidence."""
        async with self._database.transaction() as connection:
            # Under the lease: a desk that is not ours any more must not clear the flag.
            await leases.hold(connection, self.lease)
            wanted = await open_orders.take_attention(
                connection, account=self.account, broker=self.broker.name
            )
        await self._see_halts(now)
        await self._reload(wanted, now)
        await self._halting.carry_out(self._roster.orders, now)
        self._sender.retry_cancels(self._roster.executions, now)
        if self._books.reconcile_due():
            await self._reload(await self._changed_unheard(), now)
            try:
                await self._books.reconcile(now)
            except ConnectionError as away:
                log.warning("broker cannot be asked", account=self.account, error=str(away))

    def updated(self, symbols: Iterable[str], now: Instant) -> None:
        """Live feeds: wake orders whose triggers fired since they were decided."""
        symbols = set(symbols)
        for order in self._roster.orders.values():
            if order.symbol in symbols and order.decided is not None:
                since = order.decided_at or now
                if self._market.first(order.symbol, order.decided.triggers, since, now):
                    self._roster.wake([order.order_id], now)

    def _answered(self, order_id: str, fact: ChildFact) -> None:
        self._answers.append((order_id, fact))

    async def _book_answers(self) -> bool:
        answers, self._answers = self._answers, []
        by_order: dict[str, list[Fact]] = {}
        for order_id, fact in answers:
            by_order.setdefault(order_id, []).append(fact)
        entries = [Entry(order_id, found) for order_id, found in by_order.items()]
        await self._books.record(entries, self._market.clock.now())
        self._sender.on_the_wire.difference_update(fact.child_id for _, fact in answers)
        return bool(answers)

    async def _decide_due(self, now: Instant) -> bool:
        decided = []
        leaving: list[Leaving] = []
        for order in self._roster.due(now):
            try:
                decision = self._decide(order, now, leaving)
            except OUR_MISTAKES as mistake:
                await self._books.stop(order.order_id, mistake, now)
                continue
            decided.append((order, decision))
            sends = [action for action in decision.actions if isinstance(action, Send)]
            leaving += [(order.symbol, order.order_id, send) for send in sends]
        waiting = [pair for pair in decided if not pair[1].actions]
        acting = [pair for pair in decided if pair[1].actions]
        for order, decision in waiting:
            self._wait(order, decision, now)
        await self._watch.orders([o for o, _ in waiting if o.behind_since is not None], now)
        if acting:
            await self._act_or_stop(acting, now)
        return bool(acting)

    async def _act_or_stop(self, acting: Sequence[tuple[Working, Decision]], now: Instant) -> None:
        """Act for all at once; where that fails by our mistake, one by one, to stop the culprit."""
        try:
            await self._act(acting, now)
        except OUR_MISTAKES as mistake:
            if len(acting) == 1:
                await self._books.stop(acting[0][0].order_id, mistake, now)
                return
            # Some may be committed already: read what is true, and decide each anew.
            for order, _ in acting:
                await self._reload([order.order_id], now)
                known = self._roster.orders.get(order.order_id)
                if known is not None and (alone := self._acting_alone(known, now)):
                    await self._act_or_stop(alone, now)

    def _acting_alone(self, order: Working, now: Instant) -> list[tuple[Working, Decision]]:
        decision = self._decide(order, now, ())
        return [(order, decision)] if decision.actions else []

    def _decide(self, order: Working, now: Instant, leaving: Sequence[Leaving]) -> Decision:
        market = self._market.market_for(order.execution, now)
        desk = self._roster.facts_for(order, leaving)
        order.decided_at = now
        order.decided = decide(order.execution, order.plan, desk, market, now)
        return order.decided

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
        await self._books.take_over(recorded, now)
        await self._reload([result.order_id for result in recorded if result.stale], now)
        self._send(entries, recorded)
        if stopped:
            # A halt was seen under lock that we did not know yet.
            await self._see_halts(now)
            self._roster.wake(stopped, now)

    def _send(self, entries: Sequence[Entry], recorded: Sequence[Recorded]) -> None:
        """Send the children whose intents are committed now."""
        by_id = {entry.order_id: entry for entry in entries}
        for result in recorded:
            if not result.stale:
                decided = by_id[result.order_id].facts
                intents = [fact for fact in decided if isinstance(fact, Intended)]
                symbol = result.execution.task.instrument.symbol
                self._sender.send(result.order_id, symbol, intents)

    def _wait(self, order: Working, decision: Decision, now: Instant) -> None:
        """Sleep until the decision's own moment or the first of its triggers."""
        look_at = decision.look_at
        if decision.triggers and self._market.clock.stepped:
            until = look_at or order.execution.task.end
            fires = self._market.first(order.symbol, decision.triggers, now, until)
            look_at = fires if fires is not None else look_at
        stall = self._watch.stall_at(order, now)
        moments = [at for at in (look_at, stall) if at is not None and at > now]
        if moments:
            self._roster.wake([order.order_id], min(moments))

    async def _see_halts(self, now: Instant) -> None:
        if await self._halting.see(self._database):
            self._roster.halts = self._halting.reasons
            self._roster.wake(list(self._roster.orders), now)

    async def _reload(self, order_ids: Sequence[str], now: Instant) -> None:
        if order_ids:
            async with self._database.connection() as connection:
                loaded = await open_orders.load(
                    connection, account=self.account, order_ids=order_ids
                )
            await self._remember(loaded, now)

    async def _remember(self, loaded: Sequence[Loaded], now: Instant) -> None:
        for order in loaded:
            task = order.execution.task
            await self._market.need(task.instrument.symbol, task.start)
        self._roster.remember(loaded, now)
        orders, seen = self._roster.orders.values(), self._market.watched
        await self._watch.without_market([o for o in orders if o.symbol not in seen], now)

    async def _changed_unheard(self) -> list[str]:
        """Orders whose journal has moved on without this desk: a flag that somebody cleared."""
        async with self._database.connection() as connection:
            versions = await open_orders.versions(
                connection, account=self.account, broker=self.broker.name
            )
        known = {order_id: order.version for order_id, order in self._roster.orders.items()}
        return [
            order_id for order_id, version in versions.items() if known.get(order_id) != version
        ]
