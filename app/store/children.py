"""Finding the order that a child belongs to, and keeping what belongs to none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Owner:
    """The order a child belongs to, and what it trades."""

    order_id: str
    symbol: str
    side: str


async def owners(
    connection: Connection, *, account: str, child_ids: Sequence[str]
) -> dict[str, Owner]:
    """Child id → its order, for those we know."""
    found = await connection.fetch(
        "SELECT id, order_id, symbol, side FROM children WHERE account = $1 AND id = ANY($2)",
        account,
        child_ids,
    )
    return {row["id"]: Owner(row["order_id"], row["symbol"], row["side"]) for row in found}


async def contradicting(
    connection: Connection,
    *,
    account: str,
    broker: str,
    terms: Mapping[str, tuple[str, Decimal, Decimal]],
) -> set[str]:
    """Executions that were booked with another child, quantity or price than `terms` say."""
    found = await connection.fetch(
        "SELECT f.execution_id FROM fills f"
        " JOIN unnest($3::text[], $4::text[], $5::numeric[], $6::numeric[])"
        " AS t(execution_id, child_id, qty, price)"
        " USING (execution_id) WHERE f.account = $1 AND f.broker = $2"
        " AND (f.child_id, f.qty, f.price) <> (t.child_id, t.qty, t.price)",
        account,
        broker,
        list(terms),
        [child_id for child_id, _, _ in terms.values()],
        [qty for _, qty, _ in terms.values()],
        [price for _, _, price in terms.values()],
    )
    return {row["execution_id"] for row in found}


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
