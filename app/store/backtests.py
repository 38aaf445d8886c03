"""Backtests that were asked for over the API: what, how far, and what came of it.

A running one is told to be alive every few seconds by the process that works it; one that falls
silent is `interrupted`, and can be started again. `attempt` fences: a process of an earlier start
writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.store.database import Connection

STATES = ("queued", "running", "done", "failed", "canceled", "interrupted")
OPEN = ("queued", "running")
SILENT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """A backtest that is ours to run."""

    id: str
    attempt: int
    plan: dict[str, Any]


async def add(
    connection: Connection, *, id: str, key_id: str, plan: dict[str, Any], total: int
) -> None:
    await connection.execute(
        "INSERT INTO backtests (id, key_id, plan, total) VALUES ($1, $2, $3, $4)",
        id,
        key_id,
        plan,
        total,
    )


async def count_open(connection: Connection) -> int:
    found: int = await connection.fetchval(
        "SELECT count(*) FROM backtests WHERE state = ANY($1::text[])", list(OPEN)
    )
    return found


async def claim(connection: Connection) -> Claimed | None:
    """The oldest one that waits, now running."""
    row = await connection.fetchrow(
        "UPDATE backtests SET state = 'running', attempt = attempt + 1, done = 0, reason = NULL,"
        " result = NULL, started_at = clock_timestamp(), finished_at = NULL,"
        " seen_at = clock_timestamp()"
        " WHERE id = (SELECT id FROM backtests WHERE state = 'queued' ORDER BY created_at, id"
        " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, attempt, plan"
    )
    return Claimed(row["id"], row["attempt"], row["plan"]) if row is not None else None


async def running(connection: Connection, id: str) -> Claimed | None:
    """One that was claimed, for the process that works it."""
    row = await connection.fetchrow(
        "SELECT id, attempt, plan FROM backtests WHERE id = $1 AND state = 'running'", id
    )
    return Claimed(row["id"], row["attempt"], row["plan"]) if row is not None else None


async def seen(connection: Connection, of: Claimed, done: int | None = None) -> bool:
    """Tell that it is alive, and how far; False: it is not ours any more."""
    return await _ours(
        connection,
        "UPDATE backtests SET seen_at = clock_timestamp(), done = coalesce($3, done)"
        " WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id",
        of,
        done,
    )


async def keep(connection: Connection, of: Claimed, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the rows of some parents. Must run in a transaction with `seen`."""
    await connection.executemany(
        "INSERT INTO backtest_parents (backtest_id, attempt, number, row) VALUES ($1, $2, $3, $4)",
        [(of.id, of.attempt, row["parent"], row) for row in rows],
    )


async def finish(connection: Connection, of: Claimed, result: dict[str, Any]) -> bool:
    return await _ours(
        connection,
        "UPDATE backtests SET state = 'done', result = $3, finished_at = clock_timestamp()"
        " WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id",
        of,
        result,
    )


async def stop(connection: Connection, of: Claimed, state: str, reason: str) -> bool:
    """It ended without a result: `failed` or `interrupted`."""
    return await _ours(
        connection,
        "UPDATE backtests SET state = $3, reason = $4, finished_at = clock_timestamp()"
        " WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING id",
        of,
        state,
        reason,
    )


async def _ours(connection: Connection, statement: str, of: Claimed, *values: Any) -> bool:
    found: str | None = await connection.fetchval(statement, of.id, of.attempt, *values)
    return found is not None


async def interrupt_silent(connection: Connection, seconds: float = SILENT_SECONDS) -> list[str]:
    """Those whose process says nothing any more; their ids."""
    found = await connection.fetch(
        "UPDATE backtests SET state = 'interrupted', finished_at = clock_timestamp(),"
        " reason = 'the process that ran it is gone; start it again for the same result'"
        " WHERE state = 'running' AND seen_at < clock_timestamp() - make_interval(secs => $1)"
        " RETURNING id",
        seconds,
    )
    return [row["id"] for row in found]


async def cancel(connection: Connection, id: str) -> bool:
    """Whether there was something to cancel."""
    found: str | None = await connection.fetchval(
        "UPDATE backtests SET state = 'canceled', finished_at = clock_timestamp(),"
        " reason = 'asked for' WHERE id = $1 AND state = ANY($2::text[]) RETURNING id",
        id,
        list(OPEN),
    )
    return found is not None


async def restart(connection: Connection, id: str) -> bool:
    """Queue one that ended without a result; its rows so far go. Must run in a transaction."""
    found: str | None = await connection.fetchval(
        "UPDATE backtests SET state = 'queued', done = 0, reason = NULL, started_at = NULL,"
        " finished_at = NULL, seen_at = NULL WHERE id = $1"
        " AND state IN ('failed', 'canceled', 'interrupted') RETURNING id",
        id,
    )
    if found is not None:
        await connection.execute("DELETE FROM backtest_parents WHERE backtest_id = $1", id)
    return found is not None


async def remove(connection: Connection, id: str) -> bool:
    """Forget one that is over."""
    found: str | None = await connection.fetchval(
        "DELETE FROM backtests WHERE id = $1 AND NOT state = ANY($2::text[]) RETURNING id",
        id,
        list(OPEN),
    )
    return found is not None
