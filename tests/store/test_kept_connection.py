"""What the intake keeps: one connection while there is much to do, a fresh one after it
broke."""

import asyncio

import asyncpg
import pytest

from app.store.database import Connection, Database, KeptConnection, unreachable

WHO = "SELECT pg_backend_pid()"


async def who(connection: Connection) -> int:
    return int(await connection.fetchval(WHO))


async def test_it_is_the_same_connection_until_it_rests(database: Database) -> None:
    kept = KeptConnection(database)
    async with kept.connection() as connection:
        first = await who(connection)
    # Whatever is free in the pool, it is not that one.
    async with database.connection() as other, kept.connection() as connection:
        assert await who(connection) == first
        assert await who(other) != first
    await kept.rest()
    await kept.rest()
    assert database.pool.get_idle_size() == database.pool.get_size()


async def cut(database: Database, pid: int) -> None:
    async with database.connection() as other:
        await other.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await asyncio.sleep(0.1)


async def test_one_that_was_cut_between_two_uses_costs_nobody_anything(
    database: Database,
) -> None:
    kept = KeptConnection(database)
    async with kept.connection() as connection:
        first = await who(connection)
    await cut(database, first)
    async with kept.connection() as connection:
        assert await who(connection) != first
    await kept.rest()


async def test_one_that_was_cut_in_use_is_replaced(database: Database) -> None:
    kept, pids = KeptConnection(database), [0]

    async def use() -> None:
        async with kept.connection() as connection:
            pids.append(await who(connection))
            await cut(database, pids[-1])
            await connection.execute("SELECT")

    using = asyncio.ensure_future(use())
    await asyncio.wait({using})
    failure = using.exception()
    assert failure is not None
    assert unreachable(failure)
    async with kept.connection() as connection:
        assert await who(connection) not in pids
    await kept.rest()
    assert database.pool.get_idle_size() == database.pool.get_size()


async def test_who_is_canceled_leaves_none_behind(database: Database) -> None:
    kept = KeptConnection(database)

    async def slow() -> None:
        async with kept.connection() as connection:
            await connection.execute("SELECT pg_sleep(20)")

    using = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    using.cancel()
    await asyncio.wait({using})
    assert using.cancelled()
    assert database.pool.get_idle_size() == database.pool.get_size()
    async with kept.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await kept.rest()


async def test_what_the_database_refuses_breaks_nothing(database: Database) -> None:
    kept = KeptConnection(database)
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with kept.connection() as connection:
            await connection.fetchval("SELECT 1 / 0")
    async with kept.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await kept.rest()
