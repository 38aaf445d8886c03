"""Signals and the decisions made on them."""

from typing import Any

from app.store import event_log
from app.store.database import Connection, to_json
from app.store.rows import Row

DECIDED = "signal.decided"


async def find(connection: Connection, *, account: str, source: str, signal_id: str) -> Any:
    """The signal's row, or None."""
    return await connection.fetchrow(
        "SELECT * FROM signals WHERE account = $1 AND source = $2 AND signal_id = $3",
        account,
        source,
        signal_id,
    )


async def keep(connection: Connection, row: dict[str, Any]) -> Any | None:
    """Store a decided signal without an order; one that is there with the same body is returned.

    None: the id stands for another body. Must run in a transaction.
    """
    names = ", ".join(row)
    kept = await connection.fetchrow(
        f"INSERT INTO signals ({names}) SELECT {names}"
        " FROM jsonb_populate_record(NULL::signals, $1::text::jsonb)"
        " ON CONFLICT DO NOTHING RETURNING *",
        to_json(row),
    )
    if kept is not None:
        await tell(connection, kept)
        return kept
    there = await find(
        connection, account=row["account"], source=row["source"], signal_id=row["signal_id"]
    )
    same = there["body_sha256"] == bytes.fromhex(row["body_sha256"].removeprefix("\\x"))
    return there if same else None


async def tell(connection: Connection, row: Row) -> None:
    """The event of a decision that made no order."""
    await event_log.write(
        connection,
        account=row["account"],
        type=DECIDED,
        at=row["at"],
        data=decided(row),
    )


def decided(row: Row) -> dict[str, Any]:
    """What the event of a decision says."""
    return {
        "signal_id": row["signal_id"],
        "id": row["id"],
        "source": row["source"],
        "decision": row["decision"],
        "reason": row["reason"],
        "order_id": row["order_id"],
        "symbol": row["body"].get("market"),
    }
