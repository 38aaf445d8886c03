"""The worker: owns market time and desks by lease, and works orders until it is told to stop."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal

import structlog

from app.domain.alert import Thresholds
from app.domain.instant import Instant
from app.engine.claiming import DESK, Claims
from app.engine.clock import TURN_SECONDS, SteppedClock
from app.engine.desk_rules import DeskRules
from app.engine.far_end import BrokerAway, FarEnd
from app.engine.ids import new_id
from app.engine.kill_file import KillFile, throw_for
from app.engine.leasing import Keeper
from app.engine.losses import Losses
from app.engine.market import MarketDesk
from app.engine.oversight import Oversight
from app.ports import Broker, Feed
from app.store import leases
from app.store.background import Background
from app.store.database import Database, unreachable
from app.store.doorbell import WORK, Doorbell
from app.store.leases import TTL_SECONDS, WORKER, Lost, owner_name

log = structlog.get_logger()

LOOK_SECONDS = 0.05
ASKED_SECONDS = 0.02
"""How often at most symbols are looked for that somebody asked for: every order rings."""

CLAIM_SECONDS = 0.5
HEED_SECONDS = 0.1
MARKET_LEASE = "market"

OpenBroker = Callable[[str, MarketDesk], Broker]


class Worker:
    """One process that works orders. Many may run: leases say who works what.

    `brokers` opens the broker of each account once we own its desk. A stepped market is owned
    whole, with all its desks, by one worker: its time cannot move in two places. A live market
    is watched by every worker for its own orders; one of them tells it to the doors.
    `mark` is how whoever started this process knows its leases.
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
        kill_file: KillFile | None = None,
        mark: str | None = None,
    ) -> None:
        self.name = owner_name(socket.gethostname(), os.getpid(), mark or new_id()[-6:])
        self.market = MarketDesk(database, feed)
        self._database = database
        self._doorbell = doorbell
        self._brokers = brokers
        self._speed, self._held, self._symbols = speed, held, symbols
        self._keeper = Keeper(database, self.name, self._lose, lease_seconds)
        self._file = kill_file or KillFile(None)
        self._heeding = Background(self._heed, "kill file")
        self._wake = asyncio.Event()
        doorbell.join(WORK, self._wake)
        self._claims = Claims(
            accounts=brokers,
            opens=lambda account: FarEnd(
                lambda: self._brokers[account](account, self.market), self._wake.set
            ),
            keeper=self._keeper,
            database=database,
            doorbell=doorbell,
            market=self.market,
            thresholds=thresholds,
            rules=rules or DeskRules(),
            stir=self._wake.set,
            kill_file=self._file,
        )
        self.desks = self._claims.desks
        self._oversight = Oversight(
            database,
            tuple(brokers),
            self.market,
            2 * lease_seconds,
            lambda: {account: desk.broker for account, desk in self.desks.items()},
            lambda: self._claims.late,
        )
        self._losses = Losses(database, doorbell)
        self._lost: set[str] = set()
        self._looked_at = self._claimed_at = self._asked_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then give everything back."""
        self._keeper.start()
        self._heeding.start()
        try:
            await self._begin(stop)
            while not stop.is_set():
                await self._turn()
        finally:
            await self._heeding.close()
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
        self._heeding.check()
        try:
            await self._throw_by_file()
            await self._look_around()
            await self._work()
            await self._let_time_go_on()
        except Lost as lost:
            self._lose(str(lost))
        except BrokerAway as away:
            log.warning("broker away", error=str(away))
            await asyncio.sleep(LOOK_SECONDS)
        except Exception as failure:
            if not unreachable(failure):
                raise
            # Everything is in the journal: when the database is back, load and go on.
            log.warning("database not reachable", error=str(failure))
            self._lost.update(DESK + account for account in self.desks)
            await asyncio.sleep(CLAIM_SECONDS)

    async def _heed(self) -> None:
        """Cancel what is known to be open once the kill file is there, whatever the turn waits for:
        with the database dead nothing else would."""
        while True:
            level = self._file.level
            if level is not None and level.cancels:
                for desk in list(self.desks.values()):
                    desk.cancel_known(self.market.clock.now())
            await asyncio.sleep(HEED_SECONDS)

    async def _throw_by_file(self) -> None:
        level = self._file.level
        if level is not None:
            await throw_for(self._database, self._doorbell, level)

    async def _look_around(self) -> None:
        if self._lost:
            # What we know of open children is kept until the database says who has them.
            await self._database.answers()
        rung = self._doorbell.heard(WORK)
        now = time.monotonic()
        for name in list(self._lost):
            await self._drop(name)
        self._claims.take_opened()
        if now - self._claimed_at > CLAIM_SECONDS:
            self._claimed_at = now
            await self._claim()
        if rung.is_set() or now - self._looked_at > LOOK_SECONDS:
            rung.clear()
            self._looked_at = now
            if now - self._asked_at > ASKED_SECONDS:
                self._asked_at = now
                await self.market.look()
            for account, desk in self.desks.items():
                with _its_own(account):
                    if await desk.look(self.market.clock.now()):
                        rung.set()
                        self._wake.set()

    async def _claim(self) -> None:
        """Take what is free: the telling of a live market, and desks, which open beside us."""
        if not self.market.telling:
            await self._claim_telling()
        await self._claims.look()
        await self._oversight.look()
        await self._losses.look(self.desks, self.market.clock.now())

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
            for account, desk in list(self.desks.items()):
                if not self._keeper.safe(desk.lease.name):
                    continue  # We were away for too long: it may be somebody else's by now.
                if updated:
                    desk.updated(updated, now)
                with _its_own(account):
                    worked |= await desk.settle(now, stepped=stepped)
            updated = ()
            if not stepped:
                break
        for desk in self.desks.values():
            desk.measure(now)

    async def _let_time_go_on(self) -> None:
        await self.market.tell()
        clock, wake = self.market.clock, self._wake
        now = clock.now()
        moments = [at for desk in self.desks.values() if (at := desk.next_at(now)) is not None]
        until = min(moments, default=None)
        waits = any(desk.waits_for_evidence for desk in self.desks.values())
        if clock.stepped and (waits or self._claims.holds_time):
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


@contextmanager
def _its_own(account: str) -> Iterator[None]:
    """A broker that is away is its desk's own trouble: the turn goes on with the next."""
    try:
        yield
    except BrokerAway as away:
        log.warning("broker away", account=account, error=str(away))


class MarketLost(Exception):
    """Somebody else moves market time now; this worker must start over."""
