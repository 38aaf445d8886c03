"""FastAPI with one SQLAlchemy session, one insert and one commit a request."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import registry

from app.api.order_bodies import OrderBody
from app.domain.instant import HOUR, to_datetime
from app.store import tables
from bench.references.serving import serve


class Entered:
    """A row of `orders` as it is, with its constraints and indexes, in a database of its own."""

    def __init__(self, **columns: Any) -> None:
        for name, value in columns.items():
            setattr(self, name, value)


def columns(body: OrderBody) -> dict[str, Any]:
    """The row that the body becomes, as far as it says so; the rest is the same for all."""
    order_id = uuid4()
    start = to_datetime(body.start_time or 0)
    end = to_datetime((body.start_time or 0) + (body.duration or HOUR))
    return {
        "account": body.account,
        "id": order_id,
        "key": order_id.hex[:11],
        "client_order_id": body.client_order_id,
        "body_sha256": order_id.bytes * 2,
        "broker": "paper",
        "key_id": "reference",
        "strategy": body.strategy,
        "tags": list(body.tags),
        "symbol": body.symbol,
        "instrument": {"symbol": body.symbol, "tick": "0.01", "lot": "1"},
        "side": body.side.value,
        "qty": body.qty,
        "algo": body.algo,
        "algo_version": 1,
        "asked_algo": body.algo,
        "params": {name: str(value) for name, value in body.params.items()},
        "limit_price": body.limit_price,
        "start_at": start,
        "end_at": end,
        "session_opens_at": start,
        "session_closes_at": end,
        "curve": {"edges_us": [0, 1], "shares": [1.0], "periodic": False, "source": "flat"},
        "seed": str(order_id),
        "max_participation": body.max_participation,
        "max_quote_age_us": 120_000_000,
        "collar": Decimal("0.05"),
        "urgency": body.urgency.value,
        "time_in_force": body.time_in_force,
        "on_restart": body.on_restart.value,
        "status": "accepted",
        "anchor_at": start,
        "accepted_at": start,
    }


def application(url: str) -> FastAPI:
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=32
    )
    registry().map_imperatively(Entered, tables.orders)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    api = FastAPI()

    @asynccontextmanager
    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    @api.get("/")
    async def alive() -> str:
        return "ok"

    @api.post("/orders", status_code=202)
    async def enter(body: OrderBody) -> dict[str, str | None]:
        row = columns(body)
        async with session() as opened:
            opened.add(Entered(**row))
            await opened.commit()
        return {"id": str(row["id"]), "client_order_id": body.client_order_id, "status": "accepted"}

    async def prepare() -> None:
        async with engine.begin() as connection:
            await connection.run_sync(tables.orders.create)
        await engine.dispose()

    asyncio.run(prepare())
    return api


if __name__ == "__main__":
    serve(application(sys.argv[2]), int(sys.argv[1]))
