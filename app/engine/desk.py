"""The desk: sole planner and sender of one account at one broker.

Everything it remembers can be read back from the journal; losing it costs nothing. Facts come in,
due orders are decided, intents are committed, children leave, and it is quiet again.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import structlog

from app.domain.alert import Thresholds
from app.domain.instant import Instant
from app.domain.seen import looks_back_to
from app.engine import reconcile
from app.engine.acting import Acting
from app.engine.answers import Answers
from app.engine.books import Books
from app.engine.desk_rules import DeskRules
from app.engine.evidence import evidence_for
from app.engine.exiting import Exiting
from app.engine.flattening import Flattening
from app.engine.halting import Halting
from app.engine.inquiry import Inquiry
from app.engine.kill_file import KillFile
from app.engine.market import MarketDesk
from app.engine.marking import Marking
from app.engine.measuring import Measuring
from app.engine.pace import Pace
from app.engine.reconciling import Reconciling
from app.engine.roster import Roster
from app.engine.sending import Sender
from app.engine.shared import Shared
from app.engine.watching import Watch
from app.failpoints import reach
from app.ports import Broker
from app.store import accounts, leases, open_orders
from app.store.database import Database
from app.store.doorbell import Doorbell
from app.store.leases import Lease
from app.store.open_orders import Loaded

log = structlog.get_logger()

ROUNDS_MAX = 1_000
"""More rounds than this at one moment: something never comes to rest."""

LOADED_AT_ONCE = 250
OVERDUE_SECONDS, VERSIONS_SECONDS = 1.0, 30.0


def chunks(order_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few at a time: leases are renewed in between."""
    return (order_ids[i : i + LOADED_AT_ONCE] for i in range(0, len(order_ids), LOADED_AT_ONCE))


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
        rules: DeskRules,
        stir: Callable[[], None],
        kill_file: KillFile,
    ) -> None:
        self.account = account
        self.broker = broker
        self.lease = lease
        self._database = database
        self._market = market
        self._answers = Answers(stir)
        self._overdue_at = self._versions_at = 0.0
        self._roster = Roster(rules.max_working_orders, self_match=rules.self_match)
        self._watch = Watch(database, account, thresholds, market.vwap)
        self._sender = Sender(broker, self._answers.note, safe, market.clock.now, kill_file)
        shared = Shared(
            account=account,
            broker=broker,
            database=database,
            doorbell=doorbell,
            market=market,
            roster=self._roster,
            sender=self._sender,
            watch=self._watch,
            pace=Pace(account, database, doorbell),
        )
        self._measuring = Measuring(database, account, market, self._roster)
        self._marking = Marking(database, account, market)
        self._books = Books(shared, self._measuring, self._marking)
        self._halting = Halting(account, self._sender.cancel, self._books.record)
        self._flattening = Flattening(shared, lease, rules, self._books.record)
        self._exiting = Exiting(shared, lease, rules, self._books.take_over)
        self._inquiry = Inquiry(broker)
        self._reconciling = Reconciling(
            shared, self._inquiry, evidence_for(broker.capabilities, rules), self._books, lease
        )
        self._acting = Acting(
            shared, lease, self._books, reload=self._reload, see_halts=self._see_halts
        )

    def measure(self, now: Instant) -> None:
        """Keep what the market traded beside open orders, some at a time, and what it showed."""
        self._marking.turn(now)
        self._measuring.turn(now)

    @property
    def orders(self) -> int:
        """How many are open."""
        return len(self._roster.orders)

    @property
    def waits_for_evidence(self) -> bool:
        """Whether stepped market time has to stand still."""
        return self._roster.unknown or self._reconciling.pending

    async def open(self, now: Instant) -> Instant:
        """Load, reconcile with the broker before any send, apply restart policies.

        Returns the latest market time that the broker knows of. Raises ConnectionError.
        """
        async with self._database.connection() as connection:
            ids = await open_orders.all_open(
                connection, account=self.account, broker=self.broker.name
            )
            last_fill = await open_orders.last_fill_at(connection, account=self.account)
            rate = self.broker.capabilities.cancels_per_second
            await accounts.tell_cancels(connection, account=self.account, per_second=rate)
        await self._see_halts(now)
        loaded = [order for some in chunks(ids) for order in await self._load(some, now)]
        if rate is None:
            # What has to end waits for no answer; where requests are few, one list finds them all.
            self._halting.ask(self._roster.orders, now)
            self._sender.retry_cancels(self._roster.canceling(), now)
        reach("desk.loaded")
        # A fill may have come since, also of a child that was intended before the last one.
        intended = [c.intended_at for c in self._roster.children()]
        self._inquiry.learn(min([last_fill if last_fill is not None else now, now, *intended]))
        latest = await self._reconciling.now(now)
        reach("desk.reconciled")
        policies = reconcile.restart_entries(loaded, self.lease.orphaned_seconds, max(now, latest))
        await self._books.record(policies, now, under=self.lease)
        async with self._database.connection() as connection:
            await leases.attend(connection, self.lease)
        await self._marking.recover(max(now, latest))
        reach("desk.restarted")
        return latest

    async def close(self) -> None:
        """Let what is on the wire come back."""
        await self._reconciling.close()
        await self._sender.close()
        await self._book_answers(self._market.clock.now())

    async def abandon(self) -> None:
        """Give up questions under way, and what is written beside the orders."""
        await self._reconciling.close()
        await self._marking.close()
        await self._measuring.close()

    async def settle(self, now: Instant, *, stepped: bool) -> bool:
        """Work until nothing is left at `now`; live, one round, as the next has a time of its own.
        Whether anything was done."""
        worked = False
        for _ in range(ROUNDS_MAX):
            busy = await self._hear(now, stepped=stepped)
            if self._exiting.due:
                # Before anything is decided: what an exit may do has changed.
                await self._reload(await self._exiting.look(now), now)
            busy |= await self._acting.due(now)
            if not stepped:
                return busy
            await self._sender.settled()  # Market time stands still until the venue has answered.
            busy |= await self._book_answers(now)
            if not busy:
                return worked
            worked = True
            await self._market.tell()  # Or doors take us for dead: a crowd takes seconds.
        raise NeverQuiet(f"account {self.account} at {now}")

    def next_at(self, now: Instant) -> Instant | None:
        """The next market time at which there is something to do."""
        moments = (self._roster.next_at(), self.broker.next_at(now), self._flattening.next_at(now))
        return min((at for at in moments if at is not None), default=None)

    async def look(self, now: Instant) -> bool:
        """See commands, new orders (whether more wait: a crowd in parts), halts, the broker."""
        at_most = None if self._market.clock.stepped else LOADED_AT_ONCE
        async with self._database.transaction() as connection:
            # Under the lease: a desk that is not ours any more must not clear the flag.
            await leases.hold(connection, self.lease)
            wanted = await open_orders.take_attention(
                connection, account=self.account, broker=self.broker.name, at_most=at_most
            )
        await self._see_halts(now)
        await self._reload(wanted, now)
        await self._halting.carry_out(self._roster.orders, now)
        await self._reload(await self._flattening.look(self._halting.flattening, now), now)
        await self._reload(await self._exiting.look(now), now)
        self._sender.retry_cancels(self._roster.canceling(), now)
        await self._reconcile(now)
        at = time.monotonic()
        if at - self._overdue_at > OVERDUE_SECONDS:
            self._overdue_at = at
            await self._reconciling.look_for_overdue(now)
        more = len(wanted) == at_most
        if not more and at - self._versions_at > VERSIONS_SECONDS:
            self._versions_at = at
            await self._reload(await self._changed_unheard(), now)
        return more

    def cancel_known(self, now: Instant) -> None:
        """Ask for the end of every child that we know of, without writing anything down."""
        self._halting.cancel_at_once(self._roster.orders, now)

    async def _reconcile(self, now: Instant) -> None:
        await self._reconciling.finish(now)
        if self._reconciling.due:
            self._reconciling.begin(now)
            if self._market.clock.stepped:
                await self._reconciling.answer(now)

    def updated(self, symbols: Iterable[str], now: Instant) -> None:
        """Live feeds: wake orders whose triggers fired since they were decided."""
        for symbol in symbols:
            for order_id in list(self._roster.index.triggered.get(symbol, ())):
                order = self._roster.orders[order_id]
                assert order.decided is not None, "only a decision has triggers"
                since = order.decided_at or now
                if self._market.first(symbol, order.decided.triggers, since, now):
                    self._roster.wake([order_id], now)

    async def _hear(self, now: Instant, *, stepped: bool) -> bool:
        """Live, with the answers that came since: one transaction for both."""
        if stepped:
            return await self._books.hear(now)
        hear = partial(self._books.hear, now)
        return await self._answers.booked(hear, self._sender.on_the_wire)

    async def _book_answers(self, now: Instant) -> bool:
        book = partial(self._books.book, (), now)
        return await self._answers.booked(book, self._sender.on_the_wire)

    async def _see_halts(self, now: Instant) -> None:
        limited = await self._acting.see_limits(now)
        if await self._halting.see(self._database) or limited:
            self._roster.halts = self._halting.halts
            self._roster.flattening = self._halting.flattening
            # Before anything is decided anew: cancels go first.
            await self._halting.carry_out(self._roster.orders, now)
            self._roster.wake(list(self._roster.orders), now)

    async def _reload(self, order_ids: Sequence[str], now: Instant) -> None:
        for some in chunks(order_ids):
            reach("attention.cleared")
            await self._load(some, now)
            reach("attention.loaded")
            if self._market.clock.stepped:  # Live, a turn has few of them.
                await self._market.tell()

    async def _load(self, order_ids: Sequence[str], now: Instant) -> Sequence[Loaded]:
        async with self._database.connection() as connection:
            loaded = await open_orders.load(connection, account=self.account, order_ids=order_ids)
        await self._remember(loaded, now)
        return loaded

    async def _remember(self, loaded: Sequence[Loaded], now: Instant) -> None:
        for task in (order.execution.task for order in loaded):
            since = looks_back_to(task)
            await self._market.need(task.instrument.symbol, since, task.extended_hours)
        self._roster.remember(loaded, now)
        known = (self._roster.orders.get(o.execution.task.order_id) for o in loaded)
        seen = self._market.watched
        blind = [o for o in known if o is not None and o.symbol not in seen]
        await self._watch.without_market(blind, now)

    async def _changed_unheard(self) -> list[str]:
        """Orders whose journal has moved on without this desk: a flag that somebody cleared."""
        mine = {"account": self.account, "broker": self.broker.name}
        known = {order_id: order.version for order_id, order in self._roster.orders.items()}
        async with self._database.connection() as connection:
            there = await open_orders.fingerprint(connection, **mine)
            if there == open_orders.fingerprint_of(known):
                return []
            versions = await open_orders.versions(connection, **mine)
        return [o for o, version in versions.items() if known.get(o) != version]
