"""Learns from finished orders what they really cost, broker by broker, now and then."""

import asyncio
from collections.abc import Mapping, MutableMapping

import structlog

from app.domain.cost.calibration import Calibration, Outcome, calibrate
from app.store.background import Background
from app.store.database import Database
from app.store.views import outcomes

log = structlog.get_logger()

EVERY_SECONDS = 600.0


class Calibrating:
    """One process's knowledge of what its brokers' orders cost, kept in `costs` by broker.

    `orders` is how many of the newest outcomes of each account count; 0: the published model
    stands. Nobody waits for this: without it, what was known goes on being used.
    """

    def __init__(
        self,
        database: Database,
        broker_of: Mapping[str, str],
        orders: int,
        costs: MutableMapping[str, Calibration],
    ) -> None:
        self._database = database
        self._broker_of = broker_of
        self._orders = orders
        self._costs = costs
        self.loop = Background(self._run, "calibrating")

    async def look(self) -> None:
        """Learn anew. A broker's accounts are taken together."""
        history: dict[str, list[Outcome]] = {}
        for account, broker in self._broker_of.items():
            async with self._database.connection() as connection:
                found = await outcomes(connection, account, self._orders)
            history.setdefault(broker, []).extend(found)
        for broker, known in history.items():
            self._costs[broker] = calibrate(known)

    async def _run(self) -> None:
        while self._orders > 0:
            try:
                await self.look()
            except Exception as failure:
                # Orders are accepted without it: it is told, and tried again.
                log.error("costs not calibrated", error=repr(failure))
            await asyncio.sleep(EVERY_SECONDS)
