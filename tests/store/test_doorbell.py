"""Doorbells: heard across processes, many as one, and again after the connection died."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from app.store.database import Database
from app.store.doorbell import EVENTS, WORK, Doorbell

SOON = 5.0


@asynccontextmanager
async def bell(url: str, *hears: str) -> AsyncIterator[Doorbell]:
    opened = Doorbell(url, hears=hears)
    opened.start()
    for name in hears:
        async with asyncio.timeout(SOON):
            # It rings by itself once it listens: something may have rung before.
            await opened.heard(name).wait()
        opened.heard(name).clear()
    try:
        yield opened
    finally:
        await opened.close()


async def hears(listener: Doorbell, name: str, seconds: float = SOON) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await listener.heard(name).wait()
    except TimeoutError:
        return False
    listener.heard(name).clear()
    return True


async def kill_others(url: str) -> int:
    """Terminate every other connection to this database."""
    killer = await asyncpg.connect(url)
    killed = await killer.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    await killer.close()
    return len(killed)


async def test_a_ring_is_heard_by_everybody_who_listens_to_it(database_url: str) -> None:
    async with (
        bell(database_url) as ringer,
        bell(database_url, WORK) as worker,
        bell(database_url, WORK, EVENTS) as both,
    ):
        ringer.ring(WORK)
        assert await hears(worker, WORK)
        assert await hears(both, WORK)
        assert not await hears(both, EVENTS, 0.05)
        ringer.ring(EVENTS)
        assert await hears(both, EVENTS)


async def test_who_rings_hears_it_too(database_url: str) -> None:
    async with bell(database_url, EVENTS) as alone:
        alone.ring(EVENTS)
        assert await hears(alone, EVENTS)


async def test_a_ring_before_the_start_is_not_lost(database_url: str) -> None:
    async with bell(database_url, WORK) as listener:
        early = Doorbell(database_url, hears=())
        early.ring(WORK)
        early.start()
        assert await hears(listener, WORK)
        await early.close()


async def test_many_rings_make_few(database_url: str) -> None:
    heard: list[str] = []
    counter = await asyncpg.connect(database_url)
    await counter.add_listener(EVENTS, lambda *_: heard.append(EVENTS))
    async with bell(database_url) as ringer:
        for _ in range(50):
            for _ in range(100):
                ringer.ring(EVENTS)
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)
    assert 1 <= len(heard) <= 5
    await counter.close()


@pytest.mark.parametrize("rings", [True, False])
async def test_it_hears_again_after_its_backend_died(database_url: str, rings: bool) -> None:
    """Also who only listens and never rings must notice that nobody will ever ring here again."""
    async with bell(database_url, WORK) as listener:
        await asyncio.sleep(0.05)  # It has nothing left to do and only listens.
        assert await kill_others(database_url) == 1
        if rings:
            listener.ring(EVENTS)
        assert await hears(listener, WORK), "it rings by itself when it listens again"
        async with bell(database_url) as ringer:
            ringer.ring(WORK)
            assert await hears(listener, WORK)


async def test_a_ring_that_met_a_dead_connection_is_rung_again(database_url: str) -> None:
    async with bell(database_url, WORK) as listener, bell(database_url) as ringer:
        ringer.ring(WORK)
        assert await hears(listener, WORK)
        killer = await asyncpg.connect(database_url)
        # The listener lives on; only the ringer's connection dies, unnoticed so far.
        pid = await killer.fetchval(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND query = 'NOTIFY slipstream_work'"
        )
        await killer.execute("SELECT pg_terminate_backend($1)", pid)
        ringer.ring(WORK)
        await killer.close()
        assert await hears(listener, WORK)


async def test_it_waits_for_a_server_that_is_not_there_yet(tmp_path: Path) -> None:
    nowhere = Doorbell(f"postgresql://postgres@/postgres?host={tmp_path}", hears=(WORK,))
    nowhere.start()
    await asyncio.sleep(0.1)
    nowhere.loop.check()
    assert not nowhere.heard(WORK).is_set()
    await nowhere.close()


class Failing(Doorbell):
    """Its connection ends in a way that no test can bring about at will."""

    def __init__(self, failure: Exception) -> None:
        super().__init__("", hears=())
        self.failure = failure
        self.served = asyncio.Event()

    async def _serve(self) -> None:
        self.served.set()
        raise self.failure


@pytest.mark.parametrize(
    "failure",
    [
        OSError("reset"),
        TimeoutError(),
        asyncpg.InternalClientError("cut in mid-sentence"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.IdleInTransactionSessionTimeoutError("stood still"),
        asyncpg.AdminShutdownError("bye"),
        asyncpg.CrashShutdownError("crash"),
        asyncpg.CannotConnectNowError("starting up"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_it_survives_whatever_says_that_the_database_is_away(failure: Exception) -> None:
    ringer = Failing(failure)
    ringer.start()
    for _ in range(2):
        async with asyncio.timeout(SOON):
            await ringer.served.wait()
        ringer.served.clear()
    ringer.loop.check()
    await ringer.close()


@pytest.mark.parametrize("failure", [TypeError("ours"), asyncpg.UndefinedTableError("ours")])
async def test_a_mistake_of_ours_ends_it_aloud(failure: Exception) -> None:
    ringer = Failing(failure)
    ringer.start()
    await asyncio.wait({ringer.loop.task}, timeout=SOON)
    with pytest.raises(type(failure)):
        ringer.loop.check()
    await ringer.close()


async def test_waiting_ends_by_the_bell_or_by_the_clock(database: Database) -> None:
    async with bell(database.url, WORK) as listener:
        async with asyncio.timeout(SOON):
            await listener.wait(WORK, at_most=0.02)
        listener.ring(WORK)
        async with asyncio.timeout(SOON):
            await listener.wait(WORK, at_most=60)
        assert not listener.heard(WORK).is_set()
