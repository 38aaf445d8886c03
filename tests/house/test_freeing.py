"""Freeing what a dead worker held: beside everything else, whatever the database does."""

import asyncio
import os
import signal
import time

import asyncpg

from app.store import leases
from app.store.database import Database
from app.succession import free_leases
from tests.chaos.home import MIGRATED, prepare
from tests.conftest import run_sql, with_database
from tests.postgres import PostgresServer
from tests.store.seeds import fetch

OWNER = leases.owner_name("h", 7, "a")


async def claimed(database: Database) -> leases.Lease:
    async with database.connection() as connection:
        lease = await leases.claim(connection, name="desk:a1", owner=OWNER, seconds=60)
    assert lease is not None
    return lease


async def test_it_is_free_before_its_time_is_over(database: Database) -> None:
    await claimed(database)
    work = free_leases(database.url, OWNER, 5.0)
    await asyncio.to_thread(work.join, 5.0)
    (row,) = await fetch(database, "SELECT owner, epoch, until FROM leases")
    assert (row["owner"], row["epoch"], row["until"]) == (OWNER, 1, None)


async def test_an_intent_that_hangs_holds_up_nobody_and_nothing_overtakes_it(
    database: Database,
) -> None:
    lease = await claimed(database)
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        begun = time.monotonic()
        work = free_leases(database.url, OWNER, 0.5)
        assert time.monotonic() - begun < 0.1
        await asyncio.to_thread(work.join, 5.0)
        assert not work.is_alive()
        # Given up, and the intent was not overtaken.
        (row,) = await fetch(database, "SELECT until FROM leases")
        assert row["until"] is not None


async def test_a_database_that_is_away_holds_up_nobody_and_is_tried_until_it_is_back(
    own_server: PostgresServer,
) -> None:
    await prepare(own_server)
    url = with_database(own_server.url, MIGRATED)
    await run_sql(
        url,
        "INSERT INTO leases (name, owner, epoch, until) VALUES"
        f" ('desk:a1', '{OWNER}', 1, clock_timestamp() + interval '1 minute')",
    )
    os.kill(own_server.postmaster(), signal.SIGKILL)
    while own_server.alive():
        await asyncio.sleep(0.01)
    begun = time.monotonic()
    work = free_leases(url, OWNER, 30.0)
    assert time.monotonic() - begun < 0.1
    await asyncio.sleep(0.3)
    assert work.is_alive()
    async with asyncio.timeout(20):
        # Its children may still be there when it is not.
        while not await asyncio.to_thread(own_server.revive):
            await asyncio.sleep(0.1)
    await asyncio.to_thread(work.join, 20.0)
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT until FROM leases") is None
    finally:
        await connection.close()
