"""Finding the order that a child belongs to, and keeping what belongs to none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Owner:
    """The order a child belongs to, what it trades, and what is known of it."""

    order_id: str
    symbol: str
    side: str
    status: str
    qty: Decimal
    filled: Decimal
    broker_order_id: str | None


@dataclass(frozen=True, slots=True)
class Parent:
    """The order that a lost child must have belonged to."""

    order_id: str
    symbol: str
    side: str
    next_child: int
    done: bool


async def owners(
    connection: Connection, *, account: str, child_ids: Sequence[str]
) -> dict[str, Owner]:
    """Child id → its order, for those we know."""
    found = await connection.fetch(
        "SELECT id, order_id, symbol, side, status, qty, filled, broker_order_id FROM children"
        " WHERE account = $1 AND id = ANY($2)",
        account,
        child_ids,
    )
    return {
        r["id"]: Owner(
            order_id=r["order_id"],
            symbol=r["symbol"],
            side=r["side"],
            status=r["status"],
            qty=r["qty"],
            filled=r["filled"],
            broker_order_id=r["broker_order_id"],
        )
        for r in found
    }


async def parents(
    connection: Connection, *, account: str, keys: Sequence[str]
) -> dict[str, Parent]:
    """Order key → its order, for keys that child ids of ours are made of."""
    found = await connection.fetch(
        "SELECT key, id, symbol, side, next_child,"
        " status IN ('filled', 'canceled', 'expired', 'rejected') AS done FROM orders"
        " WHERE account = $1 AND key = ANY($2)",
        account,
        list(keys),
    )
    return {
        r["key"]: Parent(r["id"], r["symbol"], r["side"], r["next_child"], r["done"]) for r in found
    }


async def quarantine(
    connection: Connection,
    *,
    account: str,
    broker: str,
    execution_id: str,
    digest: str,
    report: Mapping[str, str],
    reason: str,
) -> bool:
    """Keep a report that cannot be booked. Whether it is the first of its kind."""
    done = await connection.fetchval(
        "INSERT INTO quarantine (account, broker, execution_id, digest, report, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING execution_id",
        account,
        broker,
        execution_id,
        digest,
        dict(report),
        reason,
    )
    return done is not None
