"""A pool of connections that speak the domain's types: instants, decimals, plain ids."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import asyncpg

from app.domain.instant import SECOND, Instant
from app.domain.quantity import digits

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Plain = Connection | asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.pool.PoolConnectionProxy  # generic in its stubs only
    Plain = asyncpg.Connection

_PG_EPOCH: Instant = 946_684_800 * SECOND

BESIDE = 2

NEED_NOT_LAST = "set_config('synchronous_commit', 'off', true)"
"""In a statement of its own: do not wait for the disk, for it is told again in a moment."""

_SERVER_SETTINGS = {
    "application_name": "slipstream",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "2000",
    "default_transaction_isolation": "read committed",
    # Nothing here runs for long enough that compiling it pays.
    "jit": "off",
}


def without_digits_lost(value: object) -> str:
    """What JSON has no kind for, as text. Raises TypeError for what nobody means to write."""
    if isinstance(value, Decimal):
        return digits(value)
    raise TypeError(f"{type(value).__name__} does not belong in JSON")


_ENCODER = json.JSONEncoder(default=without_digits_lost, separators=(",", ":"), allow_nan=False)


class Written(dict[str, Any]):
    """An object that goes to the database many times: its JSON is written once."""

    @cached_property
    def text(self) -> str:
        return _ENCODER.encode(self)


def to_json(value: Any) -> str:
    """JSON as it is stored and streamed: decimals and ids as strings, no spaces."""
    return value.text if type(value) is Written else _ENCODER.encode(value)


_OUTAGES = (
    OSError,  # Also a time-out: nobody answers.
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # Shutdown by an admin or a crash, or not yet started up.
    asyncpg.IdleInTransactionSessionTimeoutError,  # We stood still too long; the server hung up.
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    # A migration added a column under a statement we had prepared; the next try prepares anew.
    asyncpg.InvalidCachedStatementError,
    # A migration and we waited for each other: ours is rolled back, and the next try finds it done.
    asyncpg.DeadlockDetectedError,
    asyncpg.InternalClientError,  # What the driver says of a connection cut in mid-sentence.
)


def unreachable(error: BaseException) -> bool:
    """Whether an error says that the database cannot be asked just now, not that we asked it
    something wrong."""
    if isinstance(error, ValueError):
        return False  # A value the driver cannot send, whatever words stand in it.
    if isinstance(error, asyncpg.InterfaceError):
        return "clos" in str(error) or "released" in str(error)
    return isinstance(error, _OUTAGES)


async def prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Teach one connection our types."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda instant: (instant - _PG_EPOCH,),
        decoder=lambda parts: parts[0] + _PG_EPOCH,
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=to_json, decoder=json.loads
    )
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str)


async def connect(url: str) -> "asyncpg.Connection[Any]":
    """One connection outside the pool (listeners, tests)."""
    connection = await asyncpg.connect(url, server_settings=_SERVER_SETTINGS, timeout=10)
    await prepare(connection)
    return connection


async def _keep(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing to reset: nobody sets or listens for a session, who locks for one gives the lock
    back or ends the connection, and asyncpg itself rolls back what was left open. Its own reset
    costs a round trip for every use of a connection."""


class Database:
    """The pool, and transactions on it. Returned means committed."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", url: str) -> None:
        self.pool = pool
        self.url = url
        self._beside = asyncio.Semaphore(BESIDE)

    @classmethod
    async def open(cls, url: str, *, connections: int = 8) -> "Database":
        # No command timeout: a commit whose answer we did not wait for would be a lie.
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=connections,
            init=prepare,
            reset=_keep,
            server_settings=_SERVER_SETTINGS,
            timeout=10,
        )
        return cls(pool, url)

    async def close(self) -> None:
        await self.pool.close()

    async def answers(self) -> None:
        """Return once it does. Raises what `unreachable` knows."""
        async with self.connection() as connection:
            await connection.execute("SELECT")

    @asynccontextmanager
    async def transaction(self, first: str | None = None) -> AsyncIterator[Connection]:
        """`first` is a statement without parameters, whose rows nobody needs: it travels with the
        beginning. No transaction can be nested in one that began so."""
        async with self.pool.acquire() as connection:
            begun = connection.transaction() if first is None else _begun_with(first, connection)
            async with begun:
                yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """For single statements, which commit by themselves."""
        async with self.pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[Connection]:
        """For single statements beside the order path: `BESIDE` at a time, so that leases and
        orders have connections whatever these wait for."""
        async with self._beside, self.pool.acquire() as connection:
            yield connection


@asynccontextmanager
async def _begun_with(first: str, connection: Connection) -> AsyncIterator[None]:
    try:
        await connection.execute(f"BEGIN; {first}")
        yield
    except BaseException:
        await _undo(connection)
        raise
    if await connection.execute("COMMIT") != "COMMIT":
        # The server rolls back instead where a statement failed and somebody swallowed that.
        raise asyncpg.InFailedSQLTransactionError("rolled back: a statement in it had failed")


async def _undo(connection: Connection) -> None:
    """Roll back. What ended the transaction is told, not that its connection went with it."""
    try:
        if not _cut(connection):
            await connection.execute("ROLLBACK")
    except Exception as failure:
        if not unreachable(failure):
            raise


class KeptConnection:
    """One connection of the pool, kept between uses while there is much to do: to take one and to
    give it back for every statement is work of its own."""

    def __init__(self, database: Database) -> None:
        self._pool = database.pool
        self._held: Connection | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """For single statements of one task at a time. After a failure the next is a fresh one."""
        if self._held is not None and _cut(self._held):
            await self.rest()
        if self._held is None:
            self._held = await self._pool.acquire()
        try:
            yield self._held
        except BaseException:
            await self.rest()
            raise

    async def rest(self) -> None:
        """Give it back until it is needed again."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            await self._pool.release(held)
        except Exception as failure:
            # The pool has thrown it away, and whoever comes next is given another.
            if not unreachable(failure):
                raise


def _cut(held: Connection) -> bool:
    try:
        return held.is_closed()
    except asyncpg.InterfaceError:  # The pool has taken it back.
        return True
