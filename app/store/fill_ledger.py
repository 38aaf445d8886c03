"""The ledger of executions: each is booked once, and declared void once.

What may be told twice, late or in any order is made single here, by keys and not by memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.fact import Busted, Filled
from app.domain.instant import Instant
from app.failpoints import reach
from app.store.database import Connection
from app.store.rows import Row


@dataclass(frozen=True, slots=True)
class Void:
    """An execution that the broker declared void. It may be told before the execution itself."""

    child_id: str
    execution_id: str
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class Inserted:
    """Executions that are new in the ledger, and those among them that are void already."""

    fresh: set[str]
    void: set[str]


async def insert(
    connection: Connection,
    account: str,
    broker: str,
    fills: Sequence[tuple[str, Filled]],
    orders: Mapping[str, Row],
) -> Inserted:
    """Enter fills (with their order ids); one that is there already is left out."""
    if not fills:
        return Inserted(set(), set())
    inserted = await connection.fetch(
        "INSERT INTO fills AS f (account, broker, execution_id, order_id, child_id, symbol, side,"
        " qty, price, fee, liquidity, at, corrects)"
        " SELECT $1, $2, * FROM unnest($3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],"
        " $8::numeric[], $9::numeric[], $10::numeric[], $11::text[], $12::timestamptz[],"
        " $13::text[]) ON CONFLICT DO NOTHING RETURNING execution_id, EXISTS (SELECT FROM busts b"
        " WHERE b.account = $1 AND b.broker = $2 AND b.execution_id = f.execution_id) AS void",
        account,
        broker,
        [f.execution_id for _, f in fills],
        [order_id for order_id, _ in fills],
        [f.child_id for _, f in fills],
        [orders[order_id]["symbol"] for order_id, _ in fills],
        [orders[order_id]["side"] for order_id, _ in fills],
        [f.qty for _, f in fills],
        [f.price for _, f in fills],
        [f.fee for _, f in fills],
        [f.liquidity for _, f in fills],
        [f.at for _, f in fills],
        [f.corrects for _, f in fills],
    )
    reach("fill.inserted")
    return Inserted(
        {row["execution_id"] for row in inserted},
        {row["execution_id"] for row in inserted if row["void"]},
    )


async def remember_voids(
    connection: Connection, account: str, broker: str, voids: Sequence[Void]
) -> None:
    """Keep what was declared void, whether or not its execution is known yet."""
    if voids:
        await connection.executemany(
            "INSERT INTO busts (account, broker, execution_id, reason, at)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            [(account, broker, v.execution_id, v.reason, v.at) for v in voids],
        )


async def void(
    connection: Connection,
    account: str,
    broker: str,
    *,
    execution_ids: set[str],
    order_ids: Sequence[str],
) -> dict[str, list[Busted]]:
    """Mark booked executions void, those told to be so; each once. Facts by order id.

    The orders must be locked by the caller.
    """
    if not execution_ids:
        return {}
    marked = await connection.fetch(
        "UPDATE fills f SET busted_at = b.at FROM busts b WHERE f.account = $1 AND f.broker = $2"
        " AND f.execution_id = ANY($3) AND f.order_id = ANY($4) AND f.busted_at IS NULL"
        " AND b.account = f.account AND b.broker = f.broker AND b.execution_id = f.execution_id"
        " RETURNING f.order_id, f.child_id, f.execution_id, f.qty, f.price, f.fee, f.at,"
        " b.at AS void_at, b.reason AS void_reason",
        account,
        broker,
        sorted(execution_ids),
        list(order_ids),
    )
    reach("bust.marked")
    found: dict[str, list[Busted]] = {}
    for row in sorted(marked, key=lambda r: (r["at"], r["execution_id"])):
        found.setdefault(row["order_id"], []).append(
            Busted(
                at=row["void_at"],
                child_id=row["child_id"],
                execution_id=row["execution_id"],
                qty=row["qty"],
                price=row["price"],
                fee=row["fee"],
                reason=row["void_reason"],
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Term:
    """What an execution says: the same id with other terms contradicts what is booked."""

    child_id: str
    qty: Decimal
    price: Decimal
    busted: bool = False
