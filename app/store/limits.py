"""Limits that are set. Orders are entered against one version of them, which a change replaces.

A change holds a lock alone that whoever enters orders shares: once it is answered, nothing that
was checked against the limits before is entered any more.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import asyncpg

from app.domain.risk.bound import Bound, Bounds
from app.domain.risk.limit import LIMITS, Scope
from app.store import trail
from app.store.database import Connection, Database
from app.store.rows import Row

CHANGED_SINCE = "SL003"
"""SQLSTATE of `limits_are`: the limits are not those that orders were checked against."""

_LOCK = 0x5115_0002
_COUNTING = 0x5115_0003


DEADLOCK = "40P01"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A limit as it shall be; without numbers it shall not be. `kept`: numbers that stay."""

    scope: Scope
    name: str
    limit: str
    hard: Decimal | None = None
    soft: Decimal | None = None
    kept: frozenset[str] = frozenset()


Check = Callable[[Decimal | None, Decimal | None], None]
"""Raises for numbers, hard and soft, that do not go together."""


async def bounds(connection: Connection) -> Bounds:
    """All limits that are set, and the number of the last change."""
    # One statement: the version is of the very rows.
    found = await connection.fetch(
        "SELECT s.version AS state, l.* FROM limit_state s LEFT JOIN limits l ON true"
        " ORDER BY l.scope, l.name, l.limit_name"
    )
    set_ones = tuple(_bound(row) for row in found if row["limit_name"] in LIMITS)
    return Bounds(set_ones, found[0]["state"])


async def version(connection: Connection) -> int:
    """The number of the last change."""
    found: int = await connection.fetchval("SELECT version FROM limit_state")
    return found


async def hold(connection: Connection, *, counting: bool) -> None:
    """Keep the limits as they are until the transaction ends; `counting`: be the only one who
    enters orders that are counted. Must be the transaction's first locks."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _LOCK)
    if counting:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _COUNTING)


async def change(
    database: Database, wanted: Wanted, *, reason: str, by: str, check: Check
) -> int | None:
    """Set a limit, or with no number remove it: the change's number, None where nothing changes."""
    return await alone(database, lambda connection: _put(connection, wanted, reason, by, check))


async def alone(database: Database, doing: Callable[[Connection], Awaitable[T]]) -> T:
    """Do something in a transaction in which nobody enters orders. It may be begun again."""
    while True:
        try:
            async with database.transaction() as connection:
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                return await doing(connection)
        except asyncpg.PostgresError as failure:
            # Orders of two processes waited for this and for each other: they go first.
            if failure.sqlstate != DEADLOCK:
                raise


async def carry(connection: Connection, old: str, new: str, *, by: str) -> None:
    """Set for one key what is set for another. In a transaction of `alone`."""
    found = await connection.fetch(
        "SELECT limit_name, hard, soft FROM limits WHERE scope = $1 AND name = $2"
        " ORDER BY limit_name",
        Scope.KEY.value,
        old,
    )
    for row in found:
        wanted = Wanted(Scope.KEY, new, row["limit_name"], row["hard"], row["soft"])
        await _put(connection, wanted, f"as for {old}, which it replaces", by)


async def _put(
    connection: Connection, wanted: Wanted, reason: str, by: str, check: Check | None = None
) -> int | None:
    scope, name, limit = wanted.scope, wanted.name, wanted.limit
    before = await connection.fetchrow(
        "SELECT hard, soft, reason FROM limits WHERE scope = $1 AND name = $2 AND limit_name = $3",
        scope.value,
        name,
        limit,
    )
    had = (before["hard"], before["soft"]) if before is not None else (None, None)
    hard = had[0] if "hard" in wanted.kept else wanted.hard
    soft = had[1] if "soft" in wanted.kept else wanted.soft
    if check is not None:
        check(hard, soft)
    if had == (hard, soft):
        return None
    version: int = await connection.fetchval(
        "UPDATE limit_state SET version = version + 1 RETURNING version"
    )
    values = (scope.value, name, limit, hard, soft, reason, version, by)
    if hard is None and soft is None:
        await connection.execute(
            "DELETE FROM limits WHERE scope = $1 AND name = $2 AND limit_name = $3", *values[:3]
        )
    else:
        await connection.execute(
            "INSERT INTO limits (scope, name, limit_name, hard, soft, reason, version, changed_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (scope, name, limit_name)"
            " DO UPDATE SET hard = $4, soft = $5, reason = $6, version = $7, changed_by = $8,"
            " changed_at = clock_timestamp()",
            *values,
        )
    await connection.execute(
        "INSERT INTO limit_log (scope, name, limit_name, hard, soft, reason, version, changed_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *values,
    )
    await trail.add(
        connection,
        actor=by,
        action="limit.removed" if hard is None and soft is None else "limit.set",
        target=f"{scope.value}:{name}:{limit}",
        account=name if scope is Scope.ACCOUNT else None,
        before=_numbers(*had),
        after=_numbers(hard, soft) | {"version": version},
        reason=reason,
    )
    return version


def _numbers(hard: Decimal | None, soft: Decimal | None) -> dict[str, str | int | None]:
    return {
        "hard": format(hard, "f") if hard is not None else None,
        "soft": format(soft, "f") if soft is not None else None,
    }


def _bound(row: Row) -> Bound:
    return Bound(
        LIMITS[row["limit_name"]],
        Scope(row["scope"]),
        row["name"],
        row["hard"],
        row["soft"],
        row["version"],
    )
