"""The worker: owns market time and desks by lease, and works orders until it is told to stop."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from decimal import Decimal

import structlog

from app.domain.alert import Thresholds
from app.domain.instant import Instant
from app.engine.claiming import DESK, Claims
from app.engine.clock import TURN_SECONDS, SteppedClock
from app.engine.desk_rules import DeskRules
from app.engine.ids import new_id
from app.engine.leasing import Keeper
from app.engine.market import MarketDesk
from app.engine.oversight import Oversight
from app.ports import Broker, Feed
from app.store import leases
from app.store.database import Database, unreachable
from app.store.doorbell import WORK, Doorbell
from app.store.leases import TTL_SECONDS, WORKER, Lost

log = structlog.get_logger()

LOOK_SECONDS = 0.05
CLAIM_SECONDS = 0.5
MARKET_LEASE = "market"

OpenBroker = Callable[[str, MarketDesk], Broker]


class Worker:
    """One process that works orders. Many may run: leases say who works what.

    `brokers` opens the broker of each account once we own its desk. A stepped market is owned
    whole, with all its desks, by one worker: its time cannot move in two places. A live market
    is watched by every worker for its own orders; one of them tells it to the doors.
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
        rules: DeskRules | None = None,
        lease_seconds: float = TTL_SECONDS,
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"
        self.market = MarketDesk(database, feed)
        self._database = database
        self._doorbell = doorbell
        self._brokers = brokers
        self._speed, self._held, self._symbols = speed, held, symbols
        self._keeper = Keeper(database, self.name, self._lose, lease_seconds)
        self._wake = asyncio.Event()
        doorbell.join(WORK, self._wake)
        self._claims = Claims(
            accounts=brokers,
            opens=lambda account: self._brokers[account](account, self.market),
            keeper=self._keeper,
            database=database,
            doorbell=doorbell,
            market=self.market,
            thresholds=thresholds,
            rules=rules or DeskRules(),
            stir=self._wake.set,
        )
        self.desks = self._claims.desks
        self._oversight = Oversight(database, tuple(brokers), self.market, 2 * lease_seconds)
        self._lost: set[str] = set()
        self._looked_at = self._claimed_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then give everything back."""
        self._keeper.start()
        try:
            await self._begin(stop)
            while not stop.is_set():
                await self._turn()
        finally:
            try:
                await self._claims.give_back()
            finally:
                await self.market.close()
                await self._keeper.close()

    async def _begin(self, stop: asyncio.Event) -> None:
        """Say that we live; a stepped market has to be ours before anything else."""
        async with self._database.connection() as connection:
            await leases.forget_workers(connection)
        await self._keeper.claim(WORKER + self.name)
        if self.market.feed.starts_at is None:
            return
        lease = None
        while not stop.is_set() and lease is None:
            self._keeper.loop.check()
            lease = await self._keeper.claim(MARKET_LEASE)
            if lease is None:
                await asyncio.sleep(CLAIM_SECONDS)
        if lease is not None:
            await self.market.open(speed=self._speed, held=self._held, lease=lease)
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
            self._lost.update(DESK + account for account in self.desks)
            await asyncio.sleep(CLAIM_SECONDS)

    async def _look_around(self) -> None:
        rung = self._doorbell.heard(WORK)
        now = time.monotonic()
        for name in list(self._lost):
            await self._drop(name)
        if now - self._claimed_at > CLAIM_SECONDS:
            self._claimed_at = now
            await self._claim()
        if rung.is_set() or now - self._looked_at > LOOK_SECONDS:
            rung.clear()
            self._looked_at = now
            await self.market.look()
            for desk in self.desks.values():
                await desk.look(self.market.clock.now())

    async def _claim(self) -> None:
        """Take what is free: the telling of a live market, and desks."""
        if not self.market.telling:
            await self._claim_telling()
        await self._claims.look()
        await self._oversight.look()

    async def _claim_telling(self) -> None:
        async with self._database.connection() as connection:
            there = await leases.ownership(connection, [MARKET_LEASE])
        lease = await self._keeper.claim(MARKET_LEASE) if there.free else None
        if lease is not None:
            await self.market.begin_telling(lease, self._symbols)
            log.info("telling the market", feed=self.market.feed.name, worker=self.name)

    async def _work(self) -> None:
        stepped = self.market.clock.stepped
        now = self.market.clock.now()
        if not stepped:
            await self.market.advance(now)
        updated = self.market.feed.updated()
        worked = True
        while worked:
            worked = False
            for desk in list(self.desks.values()):
                if not self._keeper.safe(desk.lease.name):
                    continue  # We were away for too long: it may be somebody else's by now.
                if updated:
                    desk.updated(updated, now)
                worked |= await desk.settle(now, stepped=stepped)
            updated = ()
        for desk in self.desks.values():
            await desk.measure(now)

    async def _let_time_go_on(self) -> None:
        await self.market.tell()
        clock, wake = self.market.clock, self._wake
        now = clock.now()
        moments = [at for desk in self.desks.values() if (at := desk.next_at(now)) is not None]
        until = min(moments, default=None)
        if clock.stepped and any(desk.waits_for_evidence for desk in self.desks.values()):
            # Evidence takes machine time: until it is there, something is left to do.
            await asyncio.sleep(TURN_SECONDS)
            return
        if not isinstance(clock, SteppedClock):
            await clock.wait(until, wake)
            wake.clear()
            return
        await self._skip_closed_hours(clock, now, until)
        await clock.wait(until, wake)
        wake.clear()
        await self.market.advance(clock.now())

    async def _skip_closed_hours(
        self, clock: SteppedClock, now: Instant, until: Instant | None
    ) -> None:
        opens = None if clock.held or clock.idle(until) else self.market.next_open(now)
        if opens is not None:
            clock.jump(min(opens, until) if until is not None else opens)

    def _lose(self, name: str) -> None:
        log.warning("lease lost", lease=name)
        self._lost.add(name)

    async def _drop(self, name: str) -> None:
        """Let go of what is not ours any more; it is claimed anew when it is free."""
        self._lost.discard(name)
        if name.startswith(DESK):
            await self._claims.drop(name.removeprefix(DESK))
            return
        self._keeper.drop(name)
        if name == MARKET_LEASE:
            if self.market.clock.stepped:
                raise MarketLost(name)
            self.market.stop_telling()
        else:
            # The sign of life of this worker: it was taken for dead, and is not.
            await self._keeper.claim(name)


class MarketLost(Exception):
    """Somebody else moves market time now; this worker must start over."""
