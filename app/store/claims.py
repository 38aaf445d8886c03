"""Names that come with an order, idempotency keys and signals: claimed, and given up again."""

from collections.abc import Sequence
from typing import Any

from app.store.database import Connection, to_json
from app.store.entering import Columns


async def populate(
    connection: Connection, table: str, rows: Sequence[Columns], *, returning: str = "*"
) -> Sequence[Any]:
    """Insert rows given as columns; those that meet a unique key are left out."""
    if not rows:
        return []
    names = ", ".join(rows[0])
    records: Sequence[Any] = await connection.fetch(
        f"INSERT INTO {table} ({names})"
        f" SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, $1::text::jsonb)"
        f" ON CONFLICT DO NOTHING RETURNING {returning}",
        to_json([dict(row) for row in rows]),
    )
    return records


async def drop_claims(
    connection: Connection, *, keys: Sequence[Columns], signals: Sequence[Columns]
) -> None:
    """A key or signal whose order was not inserted must not name it."""
    if keys:
        await connection.execute(
            "DELETE FROM idempotency k USING unnest($1::text[], $2::text[], $3::uuid[])"
            " AS mine(key_id, key, order_id) WHERE k.key_id = mine.key_id AND k.key = mine.key"
            " AND k.order_id = mine.order_id",
            [key["key_id"] for key in keys],
            [key["key"] for key in keys],
            [key["order_id"] for key in keys],
        )
    if signals:
        await connection.execute(
            "DELETE FROM signals s USING unnest($1::text[], $2::uuid[]) AS mine(account, id)"
            " WHERE s.account = mine.account AND s.id = mine.id",
            [signal["account"] for signal in signals],
            [signal["id"] for signal in signals],
        )
