"""The line that the intake keeps: one connection while there is much to do, a fresh one after it
broke."""

import asyncpg
import pytest

from app.store.database import Connection, Database, Line, unreachable

WHO = "SELECT pg_backend_pid()"


async def who(connection: Connection) -> int:
    return int(await connection.fetchval(WHO))


async def test_it_is_the_same_connection_until_it_rests(database: Database) -> None:
    line = Line(database)
    async with line.connection() as connection:
        first = await who(connection)
    # Whatever is free in the pool, it is not that one.
    async with database.connection() as other, line.connection() as connection:
        assert await who(connection) == first
        assert await who(other) != first
    await line.rest()
    await line.rest()
    assert database.pool.get_idle_size() == database.pool.get_size()


async def test_a_line_that_was_cut_is_replaced(database: Database) -> None:
    line = Line(database)
    async with line.connection() as connection:
        first = await who(connection)
    async with database.connection() as other:
        await other.execute("SELECT pg_terminate_backend($1)", first)
    with pytest.raises(Exception) as cut:  # noqa: PT011 - by which of many is chance
        async with line.connection() as connection:
            await connection.execute("SELECT")
    assert unreachable(cut.value)
    async with line.connection() as connection:
        assert await who(connection) != first
    await line.rest()


async def test_what_the_database_refuses_breaks_nothing(database: Database) -> None:
    line = Line(database)
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with line.connection() as connection:
            await connection.fetchval("SELECT 1 / 0")
    async with line.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await line.rest()
