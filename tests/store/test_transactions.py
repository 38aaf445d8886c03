"""A transaction that begins with its first statement ends like any other."""

import asyncio
from collections.abc import AsyncIterator
from threading import Thread
from typing import Any

import asyncpg
import pytest

from app.store.database import BESIDE, Connection, Database

LOCK = "SELECT pg_advisory_xact_lock(7)"
FREE = "SELECT pg_try_advisory_xact_lock(7)"
MADE = "SELECT count(*) FROM accounts"
MAKE = "INSERT INTO accounts (account, broker) VALUES ('made', 'paper')"


@pytest.fixture
async def one(own_url: str) -> AsyncIterator[Database]:
    """A pool of one connection: what is left open by one user is in the way of the next.

    The pool rolls back what is left open, and complains to the loop: no test may need that."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    database = await Database.open(own_url, connections=1)
    yield database
    await database.close()
    assert complaints == []


async def test_what_was_done_is_committed_and_its_lock_given_back(
    one: Database, own_url: str
) -> None:
    other = await Database.open(own_url, connections=1)
    try:
        async with one.transaction(LOCK) as connection:
            assert connection.is_in_transaction()
            await connection.execute(MAKE)
            async with other.connection() as beside:
                assert not await beside.fetchval(FREE)
                assert await beside.fetchval(MADE) == 0
        async with other.connection() as beside:
            assert await beside.fetchval(FREE)
            assert await beside.fetchval(MADE) == 1
    finally:
        await other.close()


async def test_what_fails_is_rolled_back(one: Database) -> None:
    async def fail() -> None:
        async with one.transaction(LOCK) as connection:
            await connection.execute(MAKE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with one.connection() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval(MADE) == 0


async def test_a_first_statement_that_fails_leaves_nothing_open(one: Database) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with one.transaction("SELECT 1 / 0"):
            raise AssertionError("it never began")
    async with one.connection() as connection:
        assert not connection.is_in_transaction()


async def test_who_is_canceled_while_it_begins_holds_nothing(one: Database, own_url: str) -> None:
    other = await Database.open(own_url, connections=1)
    try:
        async with other.transaction(LOCK):

            async def wait() -> None:
                async with one.transaction(LOCK):
                    raise AssertionError("somebody else has the lock")

            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        async with one.transaction(LOCK) as connection:
            assert connection.is_in_transaction()
    finally:
        await other.close()


async def test_a_connection_that_is_cut_fails_the_transaction_alone(one: Database) -> None:
    async def be_cut() -> None:
        async with one.transaction(LOCK) as connection:
            await connection.execute(MAKE)
            connection.terminate()

    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await be_cut()
    async with one.connection() as connection:
        assert await connection.fetchval(MADE) == 0


async def cut_by_the_server(database: Database, own_url: str, failure: BaseException) -> None:
    """Fail within a transaction whose connection the server has ended meanwhile."""
    other = await Database.open(own_url, connections=1)
    try:
        async with database.transaction(LOCK) as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            async with other.connection() as beside:
                await beside.execute("SELECT pg_terminate_backend($1)", pid)
            while not connection_is_cut(connection):
                await asyncio.sleep(0.01)
            raise failure
    finally:
        await other.close()


def connection_is_cut(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


@pytest.mark.parametrize("failure", [ZeroDivisionError(), asyncio.CancelledError()], ids=repr)
async def test_what_failed_is_told_though_the_connection_is_gone(
    one: Database, own_url: str, failure: BaseException
) -> None:
    with pytest.raises(type(failure)):
        await cut_by_the_server(one, own_url, failure)
    async with one.connection() as connection:
        assert not connection.is_in_transaction()


async def test_what_failed_is_told_though_nobody_knows_yet_that_the_connection_is_gone(
    one: Database, own_url: str
) -> None:
    async def fail() -> None:
        async with one.transaction(LOCK) as connection:
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            # While it is ended our loop stands still, and hears of nothing.
            ending = Thread(target=lambda: asyncio.run(end_of(own_url, pid)))
            ending.start()
            ending.join()
            assert not connection.is_closed()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with one.connection() as connection:
        assert not connection.is_in_transaction()


async def end_of(url: str, pid: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await connection.close()


async def test_what_is_beside_leaves_connections_to_the_rest(own_url: str) -> None:
    database = await Database.open(own_url, connections=BESIDE + 1)
    holder = await Database.open(own_url, connections=1)

    async def wait() -> None:
        async with database.beside() as connection:
            await connection.execute("SELECT count(*) FROM accounts")

    try:
        async with holder.transaction() as holding:
            await holding.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
            beside = [asyncio.create_task(wait()) for _ in range(4 * BESIDE)]
            await asyncio.sleep(0.2)
            async with asyncio.timeout(5):
                await database.answers()
        await asyncio.gather(*beside)
    finally:
        await holder.close()
        await database.close()


async def test_nothing_is_called_committed_that_the_server_rolled_back(one: Database) -> None:
    async def swallow() -> None:
        async with one.transaction(LOCK) as connection:
            await connection.execute(MAKE)
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await swallow()
    async with one.connection() as connection:
        assert await connection.fetchval(MADE) == 0
