"""Keeps what the market traded beside open orders, for their interval VWAP."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence

import structlog

from app.domain.instant import Instant
from app.engine.market import MarketDesk
from app.engine.roster import Roster
from app.engine.working import Working
from app.store import open_orders
from app.store.database import Database, unreachable
from app.store.open_orders import Measured

log = structlog.get_logger()

EVERY_SECONDS = 2.0
TURN_SECONDS = 0.1
AT_ONCE = 25
"""Orders measured in one turn: many are measured in many turns, so that none holds up a slice, and
ten thousand every 40 s: each time writes the order's whole row again."""


class Measuring:
    """One desk's measuring: each order when it ends, and every two seconds until then, or as often
    as its turn comes (500 orders have theirs in that time)."""

    def __init__(
        self, database: Database, account: str, market: MarketDesk, roster: Roster
    ) -> None:
        self._database = database
        self._account = account
        self._market = market
        self._roster = roster
        self._left: deque[str] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._begun_at = self._turned_at = 0.0

    def turn(self, now: Instant) -> None:
        """Measure the next few and have them written. Returns at once."""
        at = time.monotonic()
        if self._writing is not None and not self._writing.done():
            return
        if at - self._turned_at < TURN_SECONDS:
            return
        self._turned_at = at
        if not self._left and at - self._begun_at > EVERY_SECONDS:
            self._begun_at = at
            self._left.extend(self._roster.orders)
        ids = [self._left.popleft() for _ in range(min(AT_ONCE, len(self._left)))]
        known = (self._roster.orders.get(order_id) for order_id in ids)
        measured = self._measured([order for order in known if order is not None], now)
        if measured:
            name = f"measures of {self._account}"
            self._writing = asyncio.create_task(self._write_beside(measured), name=name)

    async def measure(self, orders: Iterable[Working], now: Instant) -> None:
        """Measure these orders now."""
        measured = self._measured(orders, now)
        if measured:
            async with self._database.connection() as connection:
                await open_orders.measure(connection, account=self._account, measured=measured)

    async def close(self) -> None:
        """Stop; what is not written is measured again by whoever opens the desk next."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    def _measured(self, orders: Iterable[Working], now: Instant) -> list[Measured]:
        asked = [self._market.measured(order.execution, now) for order in orders]
        return [one for one in asked if one is not None]

    async def _write_beside(self, measured: Sequence[Measured]) -> None:
        try:
            async with self._database.beside() as connection:
                await open_orders.measure(
                    connection, account=self._account, measured=measured, again=True
                )
        except Exception as failure:
            # Beside the order path: whatever fails here must not end a desk, and the orders have
            # their turn again.
            tell = log.warning if unreachable(failure) else log.error
            tell("measures not written", account=self._account, exc_info=failure)
