"""One account at the adversarial venue, and the sandbox broker in front of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

from app.brokers.sandbox import open_broker
from app.domain.fact import TimeInForce
from app.ports import BustReport, ExecutionReport, Outcome, Report, Ticket, Unclear
from tests.brokers.market import SYMBOL, ticket
from tests.venue.running import RunningVenue

QUIET_SECONDS = 0.25
TIMEOUTS = {"submit_timeout_ms": 800, "question_timeout_ms": 1_500, "stream_wait_ms": 500}
CALM_MARKET = {"symbols": [SYMBOL], "touch": {SYMBOL: ["9.99", "10.01"]}}

ACCOUNTS = count(1)


class Rehearsal:
    """A fresh account, so that tests can share one venue. Every order fills soon unless told
    otherwise."""

    def __init__(self, venue: RunningVenue) -> None:
        self.venue = venue
        self.account = f"acc-{next(ACCOUNTS)}"
        self.opened: list[Any] = []

    def open(self, *chances: str, **behaviour: Any) -> Any:
        """The adapter of this account; each of `chances` happens every time."""
        behaviour = {"rest_ms": (1, 5), "after_ms": (1, 5), "delay_ms": (60, 90), **behaviour}
        self.venue.behave(self.account, chances=dict.fromkeys(chances, 1.0), **behaviour)
        return self.crash()

    def open_calm(self) -> Any:
        return self.open(**CALM_MARKET)

    def crash(self, **options: Any) -> Any:
        options = {"url": self.venue.url, **TIMEOUTS, **options}
        self.opened.append(open_broker(self.account, lambda symbol: {}[symbol], options))
        return self.opened[-1]

    async def reopen(self) -> Any:
        await self.opened[-1].close()
        return self.crash()

    async def hear(self, broker: Any, seconds: float = 0) -> Sequence[Report]:
        """Everything that is told until nothing more is."""
        told: list[Report] = []
        quiet_at = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < quiet_at:
            news = await broker.reports(0)
            if news:
                told += news
                quiet_at = time.monotonic() + QUIET_SECONDS
            await asyncio.sleep(0.005)
        return told

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.01)

    def drawn(self) -> set[str]:
        """Faults that the ledger says have happened to this account."""
        found = self.venue.rows("SELECT DISTINCT kind FROM faults WHERE account = ?", self.account)
        return {kind for (kind,) in found}

    def count(self, table: str, where: str = "1") -> int:
        query = f"SELECT count(*) FROM {table} WHERE account = ? AND {where}"
        ((found,),) = self.venue.rows(query, self.account)
        return int(found)

    async def close(self) -> None:
        for broker in self.opened:
            await broker.close()


def ioc(child_id: str, **more: Any) -> Ticket:
    return ticket(child_id, time_in_force=TimeInForce.IOC, limit="10.01", **more)


def unclear(outcome: Outcome) -> str:
    assert isinstance(outcome, Unclear), outcome
    return outcome.why


def net(reports: Sequence[Report]) -> Decimal:
    """What counts of the executions told, each once, after corrections and busts."""
    executions = {r.execution_id: r for r in reports if isinstance(r, ExecutionReport)}
    void = {r.execution_id for r in reports if isinstance(r, BustReport)}
    void |= {r.corrects for r in executions.values() if r.corrects is not None}
    counting = (e for name, e in executions.items() if name not in void)
    return sum((e.side.sign * e.qty for e in counting), Decimal(0))
