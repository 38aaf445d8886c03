"""Turns of signals: one after the other over all processes, and nobody's lock outlives its turn."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from app.engine import turns as module
from app.engine.service import Service
from app.engine.turns import Turns
from app.store import signals
from tests.api.conftest import open_service

LOCK = "hashtextextended('signal:main:' || $1, 0)"
LOCKS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Frozen:
    """A process that stands still in the midst of decisions on some symbols."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection

    async def hold(self, *symbols: str) -> None:
        for symbol in symbols:
            await self.connection.execute(f"SELECT pg_advisory_lock({LOCK})", symbol)

    async def let_go(self) -> None:
        await self.connection.execute("SELECT pg_advisory_unlock_all()")

    async def others(self) -> int:
        found: int = await self.connection.fetchval(LOCKS)
        return found


@pytest.fixture
async def frozen(service: Service) -> AsyncIterator[Frozen]:
    connection = await asyncpg.connect(service.database.url)
    yield Frozen(connection)
    await connection.close()


async def decide(turns: Turns, symbol: str = "ACME", seconds: float = 0.0) -> None:
    async with turns.here("main", symbol), turns.everywhere("main", symbol):
        await asyncio.sleep(seconds)


async def none_left(frozen: Frozen) -> None:
    async with asyncio.timeout(5):
        while await frozen.others():
            await asyncio.sleep(0.01)


async def test_who_gives_up_while_waiting_leaves_no_lock_behind(
    service: Service, frozen: Frozen
) -> None:
    """What it waited for becomes free in the same moment in which it is canceled."""
    await frozen.hold("ACME")
    waits = asyncio.create_task(decide(service.turns))
    await asyncio.sleep(0.1)
    await frozen.let_go()
    waits.cancel()
    await asyncio.wait([waits])
    await none_left(frozen)
    async with open_service(service.database.url) as second:
        await asyncio.wait_for(decide(second.turns), 3)


async def test_wherever_it_is_canceled_no_lock_is_left(service: Service, frozen: Frozen) -> None:
    for step in range(60):
        task = asyncio.create_task(decide(service.turns, seconds=0.001))
        for _ in range(step % 20):
            await asyncio.sleep(0)
        await asyncio.sleep(step / 20_000)
        task.cancel()
        await asyncio.wait([task])
    await none_left(frozen)
    await asyncio.wait_for(decide(service.turns), 3)


async def test_who_is_canceled_while_it_takes_its_turn_ends_the_connection(
    service: Service, frozen: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is taken already, and nobody has heard of it."""
    monkeypatch.setattr(signals, "_TURN", f"{signals._TURN}), pg_sleep(1")
    task = asyncio.create_task(decide(service.turns))
    async with asyncio.timeout(5):
        while not await frozen.others():
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    monkeypatch.undo()
    await none_left(frozen)
    await asyncio.wait_for(decide(service.turns), 3)


async def test_a_lock_that_cannot_be_given_back_goes_with_its_connection(
    service: Service, frozen: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn is canceled a second time, in the midst of giving it back."""
    entered = asyncio.Event()

    async def turn() -> None:
        async with service.turns.everywhere("main", "ACME"):
            slow = "hashtextextended($1 || $2 || pg_sleep(1)::text, 0)"
            monkeypatch.setattr(signals, "_TURN", slow)
            entered.set()

    task = asyncio.create_task(turn())
    await entered.wait()
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.wait([task])
    monkeypatch.undo()
    await none_left(frozen)
    await asyncio.wait_for(decide(service.turns), 3)


async def test_a_process_that_stands_still_stops_its_own_symbols_alone(
    client: httpx.AsyncClient,
    service: Service,
    frozen: Frozen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 1.0)
    await frozen.hold("ACME", "GLOBEX", "INITECH")
    buy = {"symbol": "ACME", "action": "buy", "size": "300"}
    asked = asyncio.create_task(client.post("/signals", json=buy))
    others = [asyncio.create_task(decide(service.turns, s)) for s in ("GLOBEX", "INITECH")]
    await asyncio.sleep(0.1)
    await asyncio.wait_for(decide(service.turns, "HOOLI"), 0.8)
    answer = await asked
    assert (answer.status_code, answer.json()["code"]) == (503, "signals_busy")
    assert answer.headers["Retry-After"] == "1"
    for other in await asyncio.gather(*others, return_exceptions=True):
        assert isinstance(other, module.Unavailable)
    await frozen.let_go()
    assert (await client.post("/signals", json=buy)).status_code == 202


async def test_one_after_the_other_over_processes(service: Service) -> None:
    at_it = most = done = 0

    async def decided(turns: Turns) -> None:
        nonlocal at_it, most, done
        async with turns.here("main", "ACME"), turns.everywhere("main", "ACME"):
            at_it += 1
            most = max(most, at_it)
            await asyncio.sleep(0.002)
            at_it -= 1
            done += 1

    async with open_service(service.database.url) as second:
        both = [decided(s.turns) for s in (service, second) for _ in range(20)]
        await asyncio.wait_for(asyncio.gather(*both), 20)
    assert (most, done) == (1, 40)
