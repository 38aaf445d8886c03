"""Backtests as clients see them."""

from typing import Any

from app.store.database import Connection
from app.store.rows import Row
from app.store.views.plain import Answer, Page, moment

_SHORT = (
    "id, key_id, state, plan, done, total, reason, attempt, created_at, started_at, finished_at"
)


async def backtests(
    connection: Connection, *, key_id: str | None, cursor: str | None = None, limit: int = 50
) -> Page:
    """Newest first, of one key or (None) of all; without results."""
    found = await connection.fetch(
        f"SELECT {_SHORT} FROM backtests WHERE ($1::text IS NULL OR key_id = $1)"
        # Ids are UUIDv7: their order is that of being asked.
        " AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        key_id,
        cursor,
        limit + 1,
    )
    more = len(found) > limit
    items = [_told(row) for row in found[:limit]]
    return Page(items, found[limit - 1]["id"] if more else None)


async def backtest(connection: Connection, id: str, key_id: str | None) -> Answer | None:
    """One with its result (null until it is done); None where that key may see none."""
    row = await connection.fetchrow(
        f"SELECT {_SHORT}, result FROM backtests WHERE id = $1"
        " AND ($2::text IS NULL OR key_id = $2)",
        id,
        key_id,
    )
    return _told(row) | {"result": row["result"]} if row is not None else None


async def backtest_parents(
    connection: Connection, id: str, *, after: int | None, limit: int
) -> list[Any]:
    """Parents that are done, by their number, those behind `after` only."""
    found = await connection.fetch(
        "SELECT p.row FROM backtest_parents p JOIN backtests b ON b.id = p.backtest_id"
        " AND b.attempt = p.attempt WHERE p.backtest_id = $1 AND p.number > $2"
        " ORDER BY p.number LIMIT $3",
        id,
        -1 if after is None else after,
        limit,
    )
    return [row["row"] for row in found]


def _told(row: Row) -> Answer:
    total = row["total"]
    return {
        "id": row["id"],
        "state": row["state"],
        "reason": row["reason"],
        "progress": {
            "done": row["done"],
            "total": total,
            "fraction": round(row["done"] / total, 4) if total else None,
        },
        "plan": row["plan"],
        "attempt": row["attempt"],
        "created_at": moment(row["created_at"]),
        "started_at": moment(row["started_at"]),
        "finished_at": moment(row["finished_at"]),
    }
