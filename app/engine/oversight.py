"""What no desk sees: orders of accounts that nobody works, a machine whose clock was set, and a
broker's connection that is left alone because it failed again and again."""

import socket
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from app.domain.alert import Alert, Severity
from app.domain.instant import SECOND
from app.engine.clock import LiveClock
from app.engine.market import MarketDesk
from app.ports import Broker, Connected
from app.store import accounts
from app.store.alerts import raise_alerts
from app.store.database import Database
from app.store.market_state import machine_time

log = structlog.get_logger()

LOOK_SECONDS = 10.0
REPEAT_SECONDS = 60.0

DRIFT_SECONDS = 0.1
"""How far this machine's clock may be from the database's: with a divergence of more than 100 ms
times in the journal can no longer be compared."""


class Oversight:
    """One worker's look at the house. An account whose desk was free for longer than
    `free_seconds` has no worker; what is still wrong is raised again every minute. `brokers` are
    those of the desks it owns at the moment, `late` says whose desk it cannot open, and why."""

    def __init__(
        self,
        database: Database,
        served: Sequence[str],
        market: MarketDesk,
        free_seconds: float,
        brokers: Callable[[], Mapping[str, Broker]],
        late: Callable[[], Mapping[str, str]],
    ) -> None:
        self._database = database
        self._served = tuple(served)
        self._market = market
        self._free_seconds = free_seconds
        self._brokers, self._late = brokers, late
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
        for account, why in self._late().items():
            await self._raise(account, _not_open(account, why))
        for account, broker in self._brokers().items():
            broken = _broken(broker)
            if broken:
                await self._raise(account, _left_alone(account, broker.name, broken))
        await self._look_at_drift()
        await self._look_at_clock()

    async def _look_at_drift(self) -> None:
        before = time.time()
        async with self._database.connection() as connection:
            theirs = await machine_time(connection)
        after = time.time()
        # What lies between the question and the answer is no drift.
        drift = max(before - theirs, theirs - after)
        if drift > DRIFT_SECONDS:
            for account in self._served:
                await self._raise(account, _drifted(drift))

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


def _not_open(account: str, why: str) -> Alert:
    return Alert(
        rule="desk_not_open",
        subject=account,
        severity=Severity.CRITICAL,
        message=f"the desk of account {account} cannot be opened, and none of its orders is worked:"
        f" {why}",
        data={"why": why},
    )


def _broken(broker: Broker) -> dict[str, str]:
    if not isinstance(broker, Connected):
        return {}
    return {name: state for name, state in broker.connections.items() if state != "closed"}


def _left_alone(account: str, broker: str, broken: dict[str, str]) -> Alert:
    return Alert(
        rule="broker_connection",
        subject=account,
        severity=Severity.ERROR,
        message=f"the connection of account {account} to {broker} fails for"
        f" {' and '.join(sorted(broken))}: nothing is sent over it until a try succeeds",
        data=broken,
    )


def _drifted(seconds: float) -> Alert:
    host = socket.gethostname()
    return Alert(
        rule="clock_drift",
        subject=host,
        severity=Severity.ERROR,
        message=f"the clock of {host} is {seconds:.3f} s away from the database's",
        data={"seconds": f"{seconds:.3f}", "host": host},
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
