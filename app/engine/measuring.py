"""Keeps what the market traded beside open orders, for their interval VWAP."""

import time
from collections import deque
from collections.abc import Iterable

from app.domain.instant import Instant
from app.engine.market import MarketDesk
from app.engine.roster import Roster
from app.engine.working import Working
from app.store import open_orders
from app.store.database import Database

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
        self._begun_at = self._turned_at = 0.0

    async def turn(self, now: Instant) -> None:
        """Measure the next few."""
        at = time.monotonic()
        if at - self._turned_at < TURN_SECONDS:
            return
        self._turned_at = at
        if not self._left and at - self._begun_at > EVERY_SECONDS:
            self._begun_at = at
            self._left.extend(self._roster.orders)
        ids = [self._left.popleft() for _ in range(min(AT_ONCE, len(self._left)))]
        known = (self._roster.orders.get(order_id) for order_id in ids)
        await self.measure([order for order in known if order is not None], now)

    async def measure(self, orders: Iterable[Working], now: Instant) -> None:
        """Measure these orders now."""
        asked = [self._market.measured(order.execution, now) for order in orders]
        measured = [one for one in asked if one is not None]
        if measured:
            async with self._database.connection() as connection:
                await open_orders.measure(connection, account=self._account, measured=measured)
