"""What the market showed at the moments that costs are measured by."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Instant
from app.store.database import NEED_NOT_LAST, Connection


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A moment of an order at which the market is looked at; its session is over from
    `closes_at` on."""

    at: Instant
    order_id: str
    symbol: str
    closes_at: Instant


@dataclass(frozen=True, slots=True)
class Taken:
    """What was seen. `reason` says why there is no quote."""

    order_id: str
    at: Instant
    bid: Decimal | None = None
    ask: Decimal | None = None
    quoted_at: Instant | None = None
    reason: str | None = None


async def keep(connection: Connection, *, account: str, taken: Sequence[Taken]) -> None:
    """Keep marks of orders that are still there; one that is kept already stays as it is.

    Not waited for on disk: after a crash they are found missing, and taken again.
    """
    await connection.execute(
        # Read without a lock: a reference checked by the database would hold the order's row.
        "INSERT INTO marks (account, order_id, at, bid, ask, quoted_at, reason)"
        " SELECT $1, m.order_id, m.at, m.bid, m.ask, m.quoted_at, m.reason"
        " FROM unnest($2::uuid[], $3::timestamptz[], $4::numeric[], $5::numeric[],"
        " $6::timestamptz[], $7::text[]) AS m(order_id, at, bid, ask, quoted_at, reason)"
        " WHERE EXISTS (SELECT FROM orders o WHERE o.account = $1 AND o.id = m.order_id)"
        f" ON CONFLICT DO NOTHING RETURNING {NEED_NOT_LAST}",
        account,
        [t.order_id for t in taken],
        [t.at for t in taken],
        [t.bid for t in taken],
        [t.ask for t in taken],
        [t.quoted_at for t in taken],
        [t.reason for t in taken],
    )


async def ends(connection: Connection, *, account: str, order_ids: Sequence[str]) -> list[Due]:
    """The ends of those of these orders that are finished."""
    found = await connection.fetch(
        "SELECT id, symbol, finished_at, session_closes_at FROM orders"
        " WHERE account = $1 AND id = ANY($2) AND finished_at IS NOT NULL",
        account,
        list(order_ids),
    )
    return [
        Due(row["finished_at"], row["id"], row["symbol"], row["session_closes_at"]) for row in found
    ]


async def missing(
    connection: Connection,
    *,
    account: str,
    since: Instant,
    after: Sequence[int],
    limit: int = 20_000,
) -> list[Due]:
    """Moments without a mark, of fills and ends at or after `since`, newest first. `after` are
    the times past a fill, in microseconds, at which it is judged (0: the fill itself)."""
    found = await connection.fetch(
        "WITH due AS ("
        " SELECT f.order_id, f.at + a.micros * interval '1 microsecond' AS at FROM fills f"
        " CROSS JOIN unnest($3::bigint[]) AS a(micros)"
        " WHERE f.account = $1 AND f.at >= $2 AND f.busted_at IS NULL"
        " UNION SELECT id, finished_at FROM orders WHERE account = $1 AND finished_at >= $2)"
        " SELECT d.at, d.order_id, o.symbol, o.session_closes_at FROM due d"
        " JOIN orders o ON o.account = $1 AND o.id = d.order_id"
        " LEFT JOIN marks m ON m.account = $1 AND m.order_id = d.order_id AND m.at = d.at"
        " WHERE m.at IS NULL ORDER BY d.at DESC LIMIT $4",
        account,
        since,
        list(after),
        limit,
    )
    return [Due(r["at"], r["order_id"], r["symbol"], r["session_closes_at"]) for r in found]
