"""The worker: owns market time and desks by lease, and works orders until it is told to stop."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial

import structlog

from app.domain.alert import Thresholds
from app.domain.instant import Instant
from app.engine.clock import TURN_SECONDS, SteppedClock
from app.engine.desk import Desk
from app.engine.ids import new_id
from app.engine.leasing import Keeper
from app.engine.market import MarketDesk
from app.ports import Broker, Feed
from app.store.database import Database, unreachable
from app.store.doorbell import WORK, Doorbell
from app.store.leases import Lease, Lost

log = structlog.get_logger()

LOOK_SECONDS = 0.05
CLAIM_SECONDS = 0.5
MEASURE_SECONDS = 2.0
MARKET_LEASE = "market"

OpenBroker = Callable[[str, MarketDesk], Broker]


class Worker:
    """One process that works orders. Many may run: leases say who works what.

    `brokers` opens the broker of each account once we own its desk. A stepped market is owned
    whole, with all its desks, by one worker: its time cannot move in two places.
    """

    def __init__(
        self,
        *,
        database: Database,
        doorbell: Doorbell,
        feed: Feed,
        brokers: Mapping[str, OpenBroker],
        thresholds: Thresholds,
        speed: Decimal,
        held: bool,
        symbols: tuple[str, ...] = (),
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"
        self.market = MarketDesk(database, feed)
        self.desks: dict[str, Desk] = {}
        self._database = database
        self._doorbell = doorbell
        self._brokers = brokers
        self._thresholds = thresholds
        self._speed, self._held, self._symbols = speed, held, symbols
        self._keeper = Keeper(database, self.name, self._lose)
        self._lost: set[str] = set()
        self._looked_at = self._claimed_at = self._measured_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then give everything back."""
        self._keeper.start()
        try:
            await self._own_market(stop)
            while not stop.is_set():
                await self._turn()
        finally:
            try:
                for account in list(self.desks):
                    await self._close_desk(account, kept=True)
            finally:
                await self.market.close()
                await self._keeper.close()

    async def _own_market(self, stop: asyncio.Event) -> None:
        """Wait for market time to be ours (stepped), or just start telling it."""
        stepped = self.market.feed.starts_at is not None
        while stepped and not stop.is_set():
            if await self._keeper.claim(MARKET_LEASE) is not None:
                break
            await asyncio.sleep(CLAIM_SECONDS)
        if stop.is_set():
            return
        await self.market.open(speed=self._speed, held=self._held)
        await self.market.watch(s for s in self._symbols if s not in self.market.watched)
        log.info("market open", feed=self.market.feed.name, worker=self.name)

    async def _turn(self) -> None:
        """One round: look around, work what is due, tell, and let market time go on."""
        self._keeper.loop.check()
        try:
            await self._look_around()
            await self._work()
            await self._let_time_go_on()
        except Lost as lost:
            self._lose(str(lost))
        except Exception as failure:
            if not unreachable(failure):
                raise
            # Everything is in the journal: when the database is back, load and go on.
            log.warning("database not reachable", error=str(failure))
            self._lost.update(f"desk:{account}" for account in self.desks)
            await asyncio.sleep(CLAIM_SECONDS)

    async def _look_around(self) -> None:
        rung = self._doorbell.heard(WORK)
        now = time.monotonic()
        for name in list(self._lost):
            await self._drop(name)
        if now - self._claimed_at > CLAIM_SECONDS:
            self._claimed_at = now
            await self._claim_desks()
        if rung.is_set() or now - self._looked_at > LOOK_SECONDS:
            rung.clear()
            self._looked_at = now
            await self.market.look()
            for desk in self.desks.values():
                await desk.look(self.market.clock.now())

    async def _work(self) -> None:
        now = self.market.clock.now()
        stepped = self.market.clock.stepped
        updated = self.market.feed.updated()
        worked = True
        while worked:
            worked = False
            for desk in list(self.desks.values()):
                if updated:
                    desk.updated(updated, now)
                worked |= await desk.settle(now, stepped=stepped)
            updated = ()
        if time.monotonic() - self._measured_at > MEASURE_SECONDS:
            self._measured_at = time.monotonic()
            for desk in self.desks.values():
                await desk.measure(now)

    async def _let_time_go_on(self) -> None:
        await self.market.tell()
        clock, rung = self.market.clock, self._doorbell.heard(WORK)
        now = clock.now()
        moments = [at for desk in self.desks.values() if (at := desk.next_at(now)) is not None]
        until = min(moments, default=None)
        if clock.stepped and any(desk.waits_for_evidence for desk in self.desks.values()):
            # Evidence takes machine time: until it is there, something is left to do.
            await asyncio.sleep(TURN_SECONDS)
            return
        if isinstance(clock, SteppedClock):
            await self._skip_closed_hours(clock, now, until)
        await clock.wait(until, rung)
        await self.market.advance(clock.now())

    async def _skip_closed_hours(
        self, clock: SteppedClock, now: Instant, until: Instant | None
    ) -> None:
        opens = None if clock.held or clock.idle(until) else self.market.next_open(now)
        if opens is not None:
            clock.jump(min(opens, until) if until is not None else opens)

    async def _claim_desks(self) -> None:
        for account in self._brokers:
            if account not in self.desks:
                await self._claim_desk(account)

    async def _claim_desk(self, account: str) -> None:
        """Try to open a desk. One that cannot be opened is given back and tried again."""
        name = f"desk:{account}"
        lease = await self._keeper.claim(name)
        if lease is None:
            return
        try:
            await self._open_desk(account, lease)
        except ConnectionError as away:
            log.warning("desk cannot be opened yet", account=account, error=str(away))
            await self._keeper.give_back(name)
        except BaseException:
            await self._keeper.give_back(name)
            raise

    async def _open_desk(self, account: str, lease: Lease) -> None:
        broker = self._brokers[account](account, self.market)
        desk = Desk(
            account=account,
            broker=broker,
            database=self._database,
            doorbell=self._doorbell,
            market=self.market,
            thresholds=self._thresholds,
            lease=lease,
            safe=partial(self._keeper.safe, lease.name),
        )
        try:
            latest = await desk.open(self.market.clock.now())
        except BaseException:
            await broker.close()
            raise
        if isinstance(self.market.clock, SteppedClock):
            self.market.clock.jump(latest)
        self.desks[account] = desk
        log.info("desk open", account=account, epoch=lease.epoch, orders=desk.orders)

    def _lose(self, name: str) -> None:
        log.warning("lease lost", lease=name)
        self._lost.add(name)

    async def _drop(self, name: str) -> None:
        """Let go of what is not ours any more; it is claimed anew when it is free."""
        self._lost.discard(name)
        if name == MARKET_LEASE:
            raise MarketLost(name)
        await self._close_desk(name.removeprefix("desk:"), kept=False)

    async def _close_desk(self, account: str, *, kept: bool) -> None:
        desk = self.desks.pop(account, None)
        if desk is None:
            return
        if kept:
            await desk.close()
        else:
            self._keeper.drop(f"desk:{account}")
        await desk.broker.close()


class MarketLost(Exception):
    """Somebody else moves market time now; this worker must start over."""
