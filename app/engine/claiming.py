"""Which desks a worker owns: it claims free ones, opens them, and lets them go."""

import asyncio
import math
from collections.abc import Callable, Iterable
from functools import partial

import structlog

from app.domain.alert import Thresholds
from app.engine.desk import Desk
from app.engine.desk_rules import DeskRules
from app.engine.kill_file import KillFile
from app.engine.leasing import Keeper
from app.engine.market import MarketDesk
from app.engine.opening import Opened, Openings
from app.failpoints import reach
from app.ports import Broker
from app.store import leases
from app.store.database import Database
from app.store.doorbell import Doorbell
from app.store.leases import Lease

log = structlog.get_logger()

DRAIN_SECONDS = 3.0
"""How long a desk that is given back waits for answers: whoever takes over finds the rest."""

DESK = "desk:"


class Claims:
    """The desks of one worker.

    A worker that owns its share already leaves a free desk alone for one look: so that those who
    own less come first. Nobody gives back what it has while it lives.
    """

    def __init__(
        self,
        *,
        accounts: Iterable[str],
        opens: Callable[[str], Broker],
        keeper: Keeper,
        database: Database,
        doorbell: Doorbell,
        market: MarketDesk,
        thresholds: Thresholds,
        rules: DeskRules,
        stir: Callable[[], None],
        kill_file: KillFile,
    ) -> None:
        self.desks: dict[str, Desk] = {}
        self.rules = rules
        self._stir = stir
        self._kill_file = kill_file
        self._accounts = tuple(accounts)
        self._opens = opens
        self._keeper = keeper
        self._database = database
        self._doorbell = doorbell
        self._market = market
        self._thresholds = thresholds
        self._left: set[str] = set()
        self._openings = Openings(self._open, keeper, stir)

    @property
    def holds_time(self) -> bool:
        """Whether stepped market time has to wait for a desk that is being opened."""
        return self._openings.holds_time

    @property
    def late(self) -> dict[str, str]:
        """Accounts whose desk this worker cannot open, and why."""
        return self._openings.late

    async def look(self) -> None:
        """Claim what is free and ours to take, and begin to open it."""
        known = self.desks.keys() | self._openings.accounts
        wanted = [DESK + account for account in self._accounts if account not in known]
        if not wanted:
            return
        async with self._database.connection() as connection:
            there = await leases.ownership(connection, wanted)
        share = math.ceil(len(self._accounts) / max(there.living, 1))
        left, self._left = self._left, set()
        for name in set(wanted).difference(there.free):
            self._openings.forget(name.removeprefix(DESK))
        for name in there.free:
            account = name.removeprefix(DESK)
            if not self._openings.may_begin(account):
                continue
            if len(self.desks) + len(self._openings.accounts) < share or name in left:
                await self._claim(account)
            else:
                self._left.add(name)

    def take_opened(self) -> None:
        """Own the desks that are open by now. Raises what our own mistake raised in opening."""
        for opened in self._openings.ended():
            desk = opened.desk
            self._market.reach(opened.latest)
            self.desks[desk.account] = desk
            reach("desk.open")
            log.info("desk open", account=desk.account, epoch=desk.lease.epoch, orders=desk.orders)

    async def drop(self, account: str) -> None:
        """Forget a desk that is not ours any more."""
        self._keeper.drop(DESK + account)
        opened = await self._openings.cancel(account)
        desk = opened.desk if opened is not None else self.desks.pop(account, None)
        if desk is not None:
            await desk.abandon()
            await desk.broker.close()

    async def give_back(self) -> None:
        """Let every desk go: nothing more is sent, and what is on the wire may come back."""
        opened = await self._openings.close()
        desks = [*self.desks.values(), *(one.desk for one in opened)]
        self.desks.clear()
        ended = await asyncio.gather(*map(self._drain, desks), return_exceptions=True)
        for failure in ended:
            if isinstance(failure, BaseException):
                raise failure

    async def _drain(self, desk: Desk) -> None:
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await desk.close()
        except TimeoutError:
            log.warning("answers are missing, the next owner looks for them", account=desk.account)
        finally:
            await desk.abandon()
            await desk.broker.close()
            reach("desk.drained")
            await self._keeper.give_back(DESK + desk.account)

    async def _claim(self, account: str) -> None:
        lease = await self._keeper.claim(DESK + account)
        if lease is not None:
            self._openings.begin(account, lease)

    async def _open(self, account: str, lease: Lease) -> Opened:
        reach("lease.claimed")
        broker = self._opens(account)
        desk = Desk(
            account=account,
            broker=broker,
            database=self._database,
            doorbell=self._doorbell,
            market=self._market,
            thresholds=self._thresholds,
            lease=lease,
            safe=partial(self._keeper.safe, lease.name),
            rules=self.rules,
            stir=self._stir,
            kill_file=self._kill_file,
        )
        try:
            return Opened(desk, await desk.open(self._market.clock.now()))
        except BaseException:
            await desk.abandon()
            await broker.close()
            raise
