"""Fills and busts of an account in the order in which they happened, a page at a time."""

from typing import Any

from app.domain.instant import MILLISECOND, Instant
from app.store.database import Connection

_COLUMNS = "account, broker, execution_id, order_id, symbol, side, qty, price"
_BESIDE = " + ".join(
    f"(SELECT count(*) FROM fills WHERE account = $1 AND {at} >= $5::timestamptz"
    f" AND {at} < $6::timestamptz)"
    for at in ("at", "busted_at")
)


def _kind(at: str, void: str, newest_first: bool) -> str:
    """Fills or busts, by their own index: as many as are wanted, and the others of the last one's
    millisecond."""
    there = (
        f"account = $1 AND {at} > coalesce($2::timestamptz, '-infinity')"
        f" AND {at} < coalesce($3::timestamptz, 'infinity')"
    )
    direction = "DESC" if newest_first else "ASC"
    most = f"LIMIT $4::bigint + {_BESIDE}"
    rows = f"SELECT {_COLUMNS}, {at} AS at, at AS traded_at, {void} AS void FROM fills"
    last = (
        f"SELECT date_trunc('milliseconds', {at}) FROM fills WHERE {there}"
        f" ORDER BY {at} {direction} OFFSET $4::bigint - 1 + {_BESIDE} LIMIT 1"
    )
    return (
        f"(({rows} WHERE {there} ORDER BY fills.{at} {direction} {most})"
        f" UNION ({rows} WHERE {there} AND {at} >= ({last})"
        f" AND {at} < ({last}) + interval '1 millisecond'))"
    )


def _select(newest_first: bool) -> str:
    fills, busts = (_kind(at, void, newest_first) for at, void in _KINDS)
    return (
        "SELECT f.*, (SELECT o.qty FROM orders o WHERE o.account = f.account"
        " AND o.id = f.order_id) AS wanted,"
        " (SELECT coalesce(sum(g.qty), 0) FROM fills g WHERE g.account = f.account"
        " AND g.order_id = f.order_id AND (g.at, g.execution_id) <= (f.traded_at, f.execution_id))"
        " AS done, coalesce((SELECT r.id FROM order_revisions r WHERE r.account = f.account"
        " AND r.order_id = f.order_id AND r.at <= f.traded_at ORDER BY r.seq DESC LIMIT 1),"
        f" f.order_id) AS name FROM ({fills} UNION ALL {busts}) f"
    )


_KINDS = (("at", "false"), ("busted_at", "true"))


async def activities(
    connection: Connection,
    account: str,
    *,
    after: Instant | None,
    until: Instant | None,
    beside: Instant | None,
    newest_first: bool,
    limit: int,
) -> list[Any]:
    """Rows in (after, until), whole milliseconds, in no order: the first or newest, at least
    `limit` where there are as many, not counting those of the millisecond `beside`, at which the
    page before ended."""
    first, last = after, until
    if beside is not None and newest_first:
        last = min(until or beside + MILLISECOND, beside + MILLISECOND)
    elif beside is not None:
        first = max(after or beside - 1, beside - 1)
    return await connection.fetch(
        _select(newest_first),
        account,
        first,
        last,
        limit,
        beside,
        beside + MILLISECOND if beside is not None else None,
    )
