"""Finding what a report is about, the order of its child and what is booked of it already, and
keeping what belongs to none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.store.database import Connection
from app.store.fill_ledger import Term
from app.store.rows import Row


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
    found = await connection.fetch(_OWNERS, account, child_ids)
    return {r["id"]: _owner(r) for r in found}


async def known(
    connection: Connection,
    *,
    account: str,
    broker: str,
    child_ids: Sequence[str],
    execution_ids: Sequence[str],
) -> tuple[dict[str, Owner], dict[str, Term]]:
    """The owners of children, and executions that are booked already, by their ids."""
    found = await connection.fetch(_KNOWN, account, child_ids, broker, execution_ids)
    owners = {r["id"]: _owner(r) for r in found if r["execution_id"] is None}
    booked = {
        r["execution_id"]: Term(r["id"], r["qty"], r["price"], r["busted"])
        for r in found
        if r["execution_id"] is not None
    }
    return owners, booked


_OWNER = "SELECT id, order_id, symbol, side, status, qty, filled, broker_order_id"
_OF_THESE = "FROM children WHERE account = $1 AND id = ANY($2)"
_OWNERS = f"{_OWNER} {_OF_THESE}"
# What booking asks first, of two tables at once: most of the time of a statement is its way.
_KNOWN = (
    f"{_OWNER}, NULL AS execution_id, NULL AS price, NULL AS busted {_OF_THESE}"
    " UNION ALL SELECT child_id, NULL, NULL, NULL, NULL, qty, NULL, NULL,"
    " execution_id, price, busted_at IS NOT NULL FROM fills"
    " WHERE account = $1 AND broker = $3 AND execution_id = ANY($4)"
)


def _owner(row: Row) -> Owner:
    return Owner(
        order_id=row["order_id"],
        symbol=row["symbol"],
        side=row["side"],
        status=row["status"],
        qty=row["qty"],
        filled=row["filled"],
        broker_order_id=row["broker_order_id"],
    )


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
