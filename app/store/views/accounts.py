"""What belongs to accounts: positions, alerts, signals."""

from collections.abc import Sequence

from app.store.database import Connection
from app.store.rows import Row
from app.store.views.plain import Answer, moment, text


async def accounts(connection: Connection, seen: Sequence[str] | None) -> list[Answer]:
    found = await connection.fetch(
        "SELECT * FROM accounts WHERE $1::text[] IS NULL OR account = ANY($1) ORDER BY account",
        seen,
    )
    return [
        {"account": r["account"], "broker": r["broker"], "currency": r["currency"]} for r in found
    ]


async def positions(connection: Connection, accounts: Sequence[str] | None) -> list[Answer]:
    found = await connection.fetch(
        "SELECT * FROM positions WHERE $1::text[] IS NULL OR account = ANY($1)"
        " ORDER BY account, symbol",
        accounts,
    )
    return [
        {
            "account": r["account"],
            "symbol": r["symbol"],
            "qty": text(r["qty"]),
            "average_price": text(r["average_price"]),
            "realised": text(r["realised"]),
            "fees": text(r["fees"]),
        }
        for r in found
    ]


async def alerts(
    connection: Connection, *, accounts: Sequence[str] | None, open_only: bool, limit: int
) -> list[Answer]:
    """Alerts, newest first."""
    found = await connection.fetch(
        "SELECT * FROM alerts WHERE ($1::text[] IS NULL OR account = ANY($1))"
        " AND (NOT $2 OR acknowledged_at IS NULL) ORDER BY raised_at DESC LIMIT $3",
        accounts,
        open_only,
        limit,
    )
    return [alert(r) for r in found]


def alert(row: Row) -> Answer:
    return {
        "id": row["id"],
        "account": row["account"],
        "rule": row["rule"],
        "severity": row["severity"],
        "message": row["message"],
        "data": row["data"],
        "order_id": row["order_id"],
        "count": row["count"],
        "at": moment(row["at"]),
        "raised_at": moment(row["raised_at"]),
        "acknowledged_at": moment(row["acknowledged_at"]),
        "acknowledged_by": row["acknowledged_by"],
    }


async def signal(
    connection: Connection, signal_id: str, accounts: Sequence[str] | None
) -> Answer | None:
    """A signal, its decision, and the order it became."""
    row = await connection.fetchrow(
        "SELECT * FROM signals WHERE id = $1 AND ($2::text[] IS NULL OR account = ANY($2))",
        signal_id,
        accounts,
    )
    return signal_answer(row) if row is not None else None


def signal_answer(row: Row) -> Answer:
    return {
        "id": row["id"],
        "account": row["account"],
        "source": row["source"],
        "signal_id": row["signal_id"],
        "signal": row["body"],
        "decision": row["decision"],
        "reason": row["reason"],
        "verdicts": row["verdicts"],
        "order_id": row["order_id"],
        "at": moment(row["at"]),
        "received_at": moment(row["received_at"]),
    }
