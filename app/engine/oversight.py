"""What no desk sees: orders of accounts that nobody works, and a machine whose clock was set."""

import socket
import time
from collections.abc import Sequence

import structlog

from app.domain.alert import Alert, Severity
from app.domain.instant import SECOND
from app.engine.clock import LiveClock
from app.engine.market import MarketDesk
from app.store import accounts
from app.store.alerts import raise_alerts
from app.store.database import Database

log = structlog.get_logger()

LOOK_SECONDS = 10.0
REPEAT_SECONDS = 60.0


class Oversight:
    """One worker's look at the house. An account whose desk was free for longer than
    `free_seconds` has no worker; what is still wrong is raised again every minute."""

    def __init__(
        self, database: Database, served: Sequence[str], market: MarketDesk, free_seconds: float
    ) -> None:
        self._database = database
        self._served = tuple(served)
        self._market = market
        self._free_seconds = free_seconds
        self._looked_at = -LOOK_SECONDS
        self._raised: dict[tuple[str, str], float] = {}

    async def look(self) -> None:
        """Look, not too often, and raise what is wrong."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        async with self._database.connection() as connection:
            deserted = await accounts.deserted(
                connection, served=self._served, free_seconds=self._free_seconds
            )
        for account, orders in deserted.items():
            await self._raise(account, _deserted(account, orders))
        await self._look_at_clock()

    async def _look_at_clock(self) -> None:
        clock = self._market.clock
        if not isinstance(clock, LiveClock):
            return
        clock.now()
        if clock.step is not None:
            for account in self._served:
                await self._raise(account, _stepped(clock.step / SECOND))

    async def _raise(self, account: str, alert: Alert) -> None:
        now, key = time.monotonic(), (account, alert.rule)
        if now - self._raised.get(key, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return
        self._raised[key] = now
        log.error(alert.message, account=account, rule=alert.rule)
        async with self._database.transaction() as connection:
            await raise_alerts(
                connection, account=account, alerts=[alert], at=self._market.clock.now()
            )


def _deserted(account: str, orders: int) -> Alert:
    return Alert(
        rule="account_without_desk",
        subject=account,
        severity=Severity.CRITICAL,
        message=f"account {account} has {orders} open orders, and no worker is set to work them",
        data={"orders": str(orders)},
    )


def _stepped(seconds: float) -> Alert:
    host = socket.gethostname()
    return Alert(
        rule="clock_step",
        subject=host,
        severity=Severity.CRITICAL,
        message=f"the clock of {host} was set by {seconds:+.1f} s; orders go on by the time that"
        " has passed, until the worker is started again",
        data={"seconds": f"{seconds:.3f}", "host": host},
    )
