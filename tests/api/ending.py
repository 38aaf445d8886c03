"""A desk that ends what it is told to end: where an API is tested without a worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.engine.service import Service


@asynccontextmanager
async def ending(service: Service) -> AsyncIterator[None]:
    """Orders whose end is asked for are over soon, without another fill."""
    task = asyncio.create_task(_end(service))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _end(service: Service) -> None:
    while True:
        async with service.database.connection() as connection:
            await connection.execute(
                "UPDATE orders SET status = 'canceled', reason = cancel_reason,"
                " version = version + 1, finished_at = clock_timestamp()"
                " WHERE cancel_reason IS NOT NULL AND status IN ('accepted', 'working')"
            )
        await asyncio.sleep(0.02)


async def hold(service: Service, qty: str, outside: str = "0", symbol: str = "ACME") -> None:
    """The account holds so much."""
    async with service.database.connection() as connection:
        await connection.execute(
            "INSERT INTO positions (account, symbol, qty, outside)"
            " VALUES ('main', $1, $2::text::numeric, $3::text::numeric) ON CONFLICT"
            " (account, symbol) DO UPDATE SET qty = excluded.qty, outside = excluded.outside",
            symbol,
            qty,
            outside,
        )


async def bought(service: Service, client: httpx.AsyncClient, qty: str, strategy: str) -> None:
    """An order of a strategy filled so much, and it is what the account holds; below zero it was
    sold."""
    side, size = ("sell", qty[1:]) if qty.startswith("-") else ("buy", qty)
    body = {"symbol": "ACME", "side": side, "qty": size, "strategy": strategy, "algo": "market"}
    entered = await client.post("/orders", json=body)
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE orders SET status = 'filled', filled = qty WHERE id = $1", entered.json()["id"]
        )
    await hold(service, qty)
