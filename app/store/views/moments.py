"""What an order and a position were when an event was told: a late reader is told the same."""

from dataclasses import dataclass
from decimal import Decimal

from app.store.database import Connection

_FILLS = "('fill.booked', 'fill.busted')"


@dataclass(frozen=True, slots=True)
class Moment:
    """Up to an event of an order: the money of its fills, whether its end had been asked for, and
    whether its last fill had completed it."""

    filled_notional: Decimal
    canceling: bool
    completed: bool


async def moment_of(connection: Connection, account: str, order_id: str, seq: int) -> Moment:
    row = await connection.fetchrow(
        "SELECT coalesce(sum(CASE type WHEN 'fill.booked' THEN 1 ELSE -1 END"
        " * (data->>'qty')::numeric * (data->>'price')::numeric)"
        f" FILTER (WHERE type IN {_FILLS}), 0) AS notional,"
        " coalesce(bool_or(type = 'order.cancel_requested'), false) AS canceling,"
        " coalesce((array_agg((data->'order'->>'filled')::numeric"
        " >= (data->'order'->>'qty')::numeric ORDER BY seq DESC)"
        " FILTER (WHERE type = 'fill.booked'))[1], false) AS completed"
        " FROM events WHERE account = $1 AND order_id = $2 AND seq <= $3",
        account,
        order_id,
        seq,
    )
    assert row is not None, "an aggregate has a row"
    return Moment(row["notional"], row["canceling"], row["completed"])


async def position_after(
    connection: Connection, account: str, symbol: str, xid: int, event_id: int
) -> Decimal:
    """What was held of a symbol after an event: what is held now, without what came later."""
    held: Decimal = await connection.fetchval(
        "SELECT coalesce((SELECT qty FROM positions WHERE account = $1 AND symbol = $2), 0)"
        " - coalesce(sum(CASE WHEN (o.side = 'buy') = (e.type = 'fill.booked') THEN 1 ELSE -1 END"
        " * (e.data->>'qty')::numeric), 0)"
        " FROM events e JOIN orders o ON o.account = e.account AND o.id = e.order_id"
        f" WHERE (e.xid, e.id) > ($3::text::xid8, $4) AND e.type IN {_FILLS}"
        " AND e.account = $1 AND o.symbol = $2",
        account,
        symbol,
        str(xid),
        event_id,
    )
    return held
