"""An API on a real database, with the market told as a worker would tell it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from app.api.app import create_api
from app.api.listening import OPTIONS, listen
from app.api.streams import Pace
from app.domain.alert import Thresholds as AlertThresholds
from app.domain.instant import HOUR, MINUTE, SECOND, Instant, from_datetime
from app.domain.instrument import Instrument
from app.domain.market import Quote
from app.domain.risk.bound import house_bounds
from app.domain.routing import Thresholds
from app.domain.scene import Rules
from app.domain.session import Session
from app.domain.task import Policy
from app.engine.hub import Hub
from app.engine.intake import Intake
from app.engine.limit_book import LimitBook
from app.engine.service import Service
from app.engine.strategy_book import HouseRules, StrategyBook
from app.engine.told import Quotes
from app.engine.turns import Turns
from app.store import accounts, keys, market_state
from app.store.database import Connection, Database
from app.store.doorbell import EVENTS, WORK, Doorbell
from app.store.market_state import Ticked

OPEN: Instant = from_datetime(datetime(2026, 1, 5, 14, 30, tzinfo=UTC))
NOW: Instant = OPEN + HOUR
SESSION = Session(OPEN, OPEN + 6 * HOUR + 30 * MINUTE)
ACME = Instrument("ACME", Decimal("0.01"), Decimal(1), Decimal(1), "XNYS")
# Whoever shows a key must find the time for it on a busy machine.
QUICK = Pace(auth=3, heartbeat=0.2, look=0.1, send=0.5, goodbye=10)


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """Two accounts, one watched symbol (ACME at 99.99 × 100.01), market time inside a session."""
    async with open_service(database_url) as service:
        async with service.database.transaction() as connection:
            await tell_market(connection)
        yield service


@asynccontextmanager
async def open_service(url: str) -> AsyncIterator[Service]:
    database = await Database.open(url)
    doorbell = Doorbell(url, hears=(WORK, EVENTS))
    intake, hub = Intake(database), Hub(database, doorbell)
    doorbell.start()
    intake.start()
    await hub.start()
    yield Service(
        database=database,
        doorbell=doorbell,
        intake=intake,
        hub=hub,
        rules=Rules(Thresholds(), Policy(120 * SECOND, Decimal("0.05"))),
        limits=LimitBook(database, house_bounds(max_order_notional=Decimal(10_000_000))),
        thresholds=AlertThresholds(),
        broker_of={"main": "paper", "other": "paper"},
        default_account="main",
        strategies=StrategyBook(
            database, HouseRules(paper=frozenset({"main", "other"}), confidence=0.5)
        ),
        turns=Turns(database),
        # What a test changes of the market is seen at once.
        quotes=Quotes(remember=0),
    )
    await intake.close()
    await hub.close()
    await doorbell.close()
    await database.close()


async def tell_market(connection: Connection) -> None:
    for account in ("main", "other"):
        await accounts.ensure(connection, account=account, broker="paper")
    await market_state.start_clock(
        connection, feed="synthetic", now=NOW, stepped=True, speed=Decimal(1), held=True
    )
    # Told ahead: nobody tells it again, and a slow test must not find its market silent.
    await connection.execute("UPDATE market_clock SET told_at = told_at + interval '1 minute'")
    await market_state.tell_watched(connection, ACME, [SESSION], None, Decimal(5_000_000))
    quote = Quote(Decimal("99.99"), Decimal("100.01"), Decimal(500), Decimal(400), NOW, NOW)
    await market_state.tell_quotes(connection, [Ticked("ACME", quote, Decimal(100), NOW)])


@pytest.fixture
def api(service: Service) -> FastAPI:
    return create_api(service, pace=QUICK)


MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture
def make_key(service: Service) -> MakeKey:
    async def make(*scopes: str, accounts: list[str] | None = None) -> str:
        async with service.database.connection() as connection:
            return await keys.create(
                connection, name="test", scopes=list(scopes), accounts=accounts
            )

    return make


@pytest.fixture
async def admin_key(make_key: MakeKey) -> str:
    return await make_key("admin")


@pytest.fixture
async def client(api: FastAPI, admin_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """An admin's client, straight into the app."""
    async with client_for(api, admin_key) as client:
        yield client


def client_for(api: FastAPI, key: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url="http://test", headers=headers
    )


@dataclass(frozen=True)
class Served:
    """An app behind a real socket."""

    port: int
    api: FastAPI

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/stream"


@pytest.fixture
async def served(api: FastAPI) -> AsyncIterator[Served]:
    async with serve(api) as served:
        yield served


@asynccontextmanager
async def serve(api: FastAPI) -> AsyncIterator[Served]:
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(api, **OPTIONS))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield Served(listening.getsockname()[1], api)
    api.state.streams.close()
    server.should_exit = True
    await running


def order_body(**changes: Any) -> dict[str, Any]:
    """A good order; None takes a field away."""
    body = {"symbol": "ACME", "side": "buy", "qty": "500", "algo": "twap", "duration": "30m"}
    return {name: value for name, value in (body | changes).items() if value is not None}


async def silence(service: Service) -> None:
    """The worker is gone: market time was last told four seconds ago."""
    async with service.database.connection() as connection:
        await connection.execute(
            "UPDATE market_clock SET told_at = clock_timestamp() - interval '4 seconds'"
        )


async def pass_time(service: Service, micros: int) -> None:
    """Market time goes on without a word of ACME."""
    async with service.database.connection() as connection:
        await market_state.tell_clock(connection, NOW + micros)


TABLES = (
    "orders",
    "children",
    "fills",
    "events",
    "signals",
    "idempotency",
    "alerts",
    "positions",
    "api_keys",
    "watches",
    "instruments",
)


async def row_counts(service: Service) -> dict[str, int]:
    async with service.database.connection() as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES
        }


def with_limits(service: Service, **limits: Decimal) -> Service:
    return replace(service, limits=LimitBook(service.database, house_bounds(**limits)))
