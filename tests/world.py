"""A whole house in one process: service and worker on a real database, market time stepped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from app.domain.lifecycle import ORDER_DONE
from app.domain.quantity import Side
from app.domain.refusal import Unavailable
from app.domain.request import Request
from app.engine.accept import accept
from app.engine.clock import SteppedClock
from app.engine.given import Given
from app.engine.quotes import scene_for
from app.engine.service import Caller, Service
from app.engine.worker import Worker
from app.settings import Settings
from app.store import market_state, views
from app.store.database import Database
from app.wiring import open_house, open_service, open_worker

CALLER = Caller(key_id="test", accounts=None)


@dataclass(slots=True)
class World:
    """The API's side and the worker's, and a hand on market time."""

    service: Service
    database: Database
    start_worker: Callable[[], Worker]
    worker: Worker
    task: "asyncio.Task[None]"
    stop: asyncio.Event

    async def order(self, symbol: str = "ACME", side: str = "buy", **fields: Any) -> str:
        """Enter an order; its id."""
        request = Request(account="main", symbol=symbol, side=Side(side), **_typed(fields))
        given = Given.of({"symbol": symbol, "side": side, **{k: str(v) for k, v in fields.items()}})
        accepted = await self._answered(lambda: accept(self.service, CALLER, request, given))
        order_id: str = accepted.row["id"]
        return order_id

    async def row(self, order_id: str) -> Any:
        async with self.database.connection() as connection:
            return await views.find_order(connection, order_id, None)

    async def let_go(self, speed: Decimal = Decimal(0)) -> None:
        async with self.database.connection() as connection:
            await market_state.set_speed(connection, speed=speed, held=False)

    async def hold(self) -> None:
        """From here on market time stands still: the worker has heard of it, if one works."""
        async with self.database.connection() as connection:
            await market_state.set_speed(connection, speed=None, held=True)
        async with asyncio.timeout(60):
            while not self.task.done() and not self._stands_still():
                await asyncio.sleep(0.01)

    def _stands_still(self) -> bool:
        clock = self.worker.market.clock
        return isinstance(clock, SteppedClock) and clock.held

    async def until(
        self, condition: Callable[[Any], bool], order_id: str, seconds: float = 60
    ) -> Any:
        """Wait until the order's row fulfils a condition."""
        async with asyncio.timeout(seconds):
            while True:
                row = await self.row(order_id)
                if condition(row):
                    return row
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.01)

    async def done(self, order_id: str, seconds: float = 60) -> Any:
        return await self.until(lambda row: row["status"] in ORDER_DONE, order_id, seconds)

    async def children(self, order_id: str) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return await views.children(connection, await self.row(order_id))

    async def fills(self, order_id: str) -> list[dict[str, Any]]:
        async with self.database.connection() as connection:
            return await views.fills(connection, accounts=None, order_id=order_id, limit=100_000)

    async def watch(self, symbol: str) -> None:
        await self._answered(lambda: scene_for(self.service, symbol))

    async def _answered(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """An answer, however busy the machine is: where market time was not told for a while,
        nothing is entered, and whoever asks may ask again."""
        async with asyncio.timeout(60):
            while True:
                with suppress(Unavailable):
                    return await ask()
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.05)

    def revive(self, change: Callable[[Worker], object] | None = None) -> None:
        """Start another worker in the place of the dead one."""
        self.worker, self.stop = self.start_worker(), asyncio.Event()
        if change is not None:
            change(self.worker)
        self.task = asyncio.create_task(self.worker.run(self.stop))

    async def kill_worker(self, *, lapsed: bool = False) -> None:
        """End the worker without any goodbye: its tasks just stop, its lease stays; or is let
        lapse, where the seconds that it has left prove nothing."""
        brokers = [desk.broker for desk in self.worker.desks.values()]
        self.worker.desks.clear()
        self.worker._keeper._held.clear()
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        for broker in brokers:
            # A dead process keeps no file open.
            await broker.close()
        if lapsed:
            await self.lapse()

    async def lapse(self) -> None:
        """Let every lease end now."""
        async with self.database.connection() as connection:
            await connection.execute("UPDATE leases SET until = clock_timestamp()")


def _typed(fields: dict[str, Any]) -> dict[str, Any]:
    amounts = ("qty", "notional", "limit_price", "max_participation")
    return {k: Decimal(v) if k in amounts else v for k, v in fields.items()}


async def emptied(url: str) -> None:
    """The database without orders, market time or leases: another world can begin."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "TRUNCATE orders, children, fills, events, positions, market_clock, watches, leases,"
        " alerts, idempotency, signals CASCADE"
    )
    await connection.close()


@asynccontextmanager
async def open_world(url: str, folder: Path, **settings: Any) -> AsyncIterator[World]:
    """A world on the database at `url`, its market held until `let_go`."""
    chosen = Settings(
        _env_file=None, data_dir=folder, **({"hold": True, "speed": Decimal(0)} | settings)
    )
    async with open_house(chosen, url) as house, open_service(house) as service:
        worker, stop = open_worker(house), asyncio.Event()
        task = asyncio.create_task(worker.run(stop))
        world = World(service, house.database, lambda: open_worker(house), worker, task, stop)
        try:
            yield world
        finally:
            world.stop.set()
            with suppress(asyncio.CancelledError):
                await world.task
