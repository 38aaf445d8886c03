"""Orders under all the names they have had: one entry for each id that Alpaca's clients know."""

from collections.abc import Sequence
from typing import Any

from app.domain.instant import Instant
from app.store.database import Connection
from app.store.journal import OPEN

_ENTRIES = (
    "SELECT e.id AS name, e.seq AS since_seq, e.at AS named_at, m.replaces AS replaces,"
    " coalesce(m.client_order_id, o.client_order_id) AS own_id,"
    " n.id AS replaced_by, n.at AS replaced_at, n.before AS before, o.*,"
    " (SELECT v.at FROM events v WHERE v.account = o.account AND v.order_id = o.id"
    " AND v.seq = o.seq) AS told_at"
    " FROM (SELECT account, id AS order_id, id, 0::bigint AS seq, accepted_at AS at FROM orders"
    " UNION ALL SELECT account, order_id, id, seq, at FROM order_revisions) e"
    " JOIN orders o ON o.account = e.account AND o.id = e.order_id"
    " LEFT JOIN order_revisions m ON m.account = e.account AND m.id = e.id"
    " LEFT JOIN order_revisions n ON n.account = e.account AND n.replaces = e.id"
    " WHERE e.account = $1"
)


async def named(connection: Connection, account: str, name: str) -> Any | None:
    """The entry of an id, the order's first or a later one."""
    return await connection.fetchrow(f"{_ENTRIES} AND e.id = $2", account, name)


async def named_by_client(connection: Connection, account: str, client_id: str) -> Any | None:
    """The entry of a client's own id, of an order or of its replacement."""
    return await connection.fetchrow(
        f"{_ENTRIES} AND e.id = coalesce((SELECT id FROM order_revisions WHERE account = $1"
        " AND client_order_id = $2), (SELECT id FROM orders WHERE account = $1"
        " AND client_order_id = $2))",
        account,
        client_id,
    )


async def names_of(connection: Connection, account: str, order_id: str) -> list[Any]:
    """All entries of one order, oldest first."""
    return await connection.fetch(
        f"{_ENTRIES} AND e.order_id = $2 ORDER BY e.seq", account, order_id
    )


async def named_list(
    connection: Connection,
    account: str,
    *,
    status: str,
    after: Instant | None,
    until: Instant | None,
    side: str | None,
    symbols: Sequence[str] | None,
    newest_first: bool,
    limit: int,
) -> list[Any]:
    """Entries by when they were submitted, `limit` of them and those of the last one's moment:
    who asks for the next page by time misses none. `status` is open, closed (replaced ones too) or
    all."""
    direction = "DESC" if newest_first else "ASC"
    found = await connection.fetch(
        f"{_ENTRIES} AND e.id = ANY(ARRAY({_picked(_STATES[status], direction)}))",
        account,
        after,
        until,
        side,
        symbols,
        limit,
    )
    return sorted(found, key=lambda e: (e["named_at"], e["name"]), reverse=newest_first)


_STATES = {
    "open": f"o.{OPEN} AND n.id IS NULL",
    "closed": f"(NOT o.{OPEN} OR n.id IS NOT NULL)",
    "all": "true",
}

TIES_MOST = 500
"""Entries of one moment beyond the limit: market time stands still where it is told to."""


def _picked(state: str, direction: str) -> str:
    """The names to list. Each kind is cut by its own index before they are put together."""
    wanted = (
        f"{state} AND ($4::text IS NULL OR o.side = $4)"
        " AND ($5::text[] IS NULL OR o.symbol = ANY($5))"
    )
    cut = f"ORDER BY at {direction} FETCH FIRST ($6::bigint) ROWS WITH TIES"

    def kind(table: str, name: str, at: str) -> str:
        return (
            f"(SELECT {name} AS name, {at} AS at FROM {table}"
            f" LEFT JOIN order_revisions n ON n.account = o.account AND n.replaces = {name}"
            f" WHERE o.account = $1 AND {at} > coalesce($2::timestamptz, '-infinity')"
            f" AND {at} < coalesce($3::timestamptz, 'infinity') AND {wanted} {cut})"
        )

    first = kind("orders o", "o.id", "o.accepted_at")
    later = kind(
        "order_revisions r JOIN orders o ON o.account = r.account AND o.id = r.order_id",
        "r.id",
        "r.at",
    )
    both = f"SELECT name, at FROM ({first} UNION ALL {later}) x {cut}"
    return f"SELECT name FROM ({both}) y ORDER BY at {direction} LIMIT $6::bigint + {TIES_MOST}"
