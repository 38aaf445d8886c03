"""What belongs to accounts: positions, alerts, signals."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant
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
    """Alerts, newest first; those of the whole house are everybody's."""
    found = await connection.fetch(
        "SELECT * FROM alerts WHERE ($1::text[] IS NULL OR account = ANY($1) OR account = '*')"
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


async def alert_counts(
    connection: Connection, *, accounts: Sequence[str] | None, since: Instant, until: Instant
) -> list[tuple[str, str, int]]:
    """How often each rule spoke, by severity, of alerts last told from `since` on and before
    `until` (market time); the gravest first."""
    found = await connection.fetch(
        "SELECT severity, rule, sum(count) AS n FROM alerts"
        " WHERE ($1::text[] IS NULL OR account = ANY($1)) AND at >= $2 AND at < $3"
        " GROUP BY severity, rule ORDER BY array_position(ARRAY['critical', 'error', 'warning',"
        " 'info'], severity), rule",
        accounts,
        since,
        until,
    )
    return [(r["severity"], r["rule"], r["n"]) for r in found]


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


async def signals(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    symbol: str | None,
    strategy: str | None,
    decision: str | None,
    before: str | None,
    most: int,
) -> list[Answer]:
    """The latest signals first; those that came before the one with the id `before`."""
    # One account is asked for as one: rows of several do not come in order from an index.
    one = accounts[0] if accounts is not None and len(accounts) == 1 else None
    asked: dict[str, Any] = {
        "account = ${}": one,
        "account = ANY(${})": list(accounts) if accounts is not None and one is None else None,
        "symbol = ${}": symbol,
        "strategy = ${}": strategy,
        "decision = ${}": decision,
        "(received_at, id) < (SELECT received_at, id FROM signals WHERE id = ${})": before,
    }
    # Only what is asked for: a condition that may be none at all is no bound for an index.
    given = {condition: value for condition, value in asked.items() if value is not None}
    where = " AND ".join(c.format(i) for i, c in enumerate(given, start=2)) or "true"
    found = await connection.fetch(
        f"SELECT * FROM signals WHERE {where} ORDER BY received_at DESC, id DESC LIMIT $1",
        most,
        *given.values(),
    )
    return [signal_answer(row) for row in found]


def _amount(value: Decimal | None) -> str | None:
    return format(value, "f") if value is not None else None


def signal_answer(row: Row) -> Answer:
    return {
        "id": row["id"],
        "account": row["account"],
        "source": row["source"],
        "signal_id": row["signal_id"],
        "signal": row["body"],
        "symbol": row["symbol"],
        "strategy": row["strategy"],
        "mode": row["mode"],
        "side": row["side"],
        "qty": _amount(row["qty"]),
        "final_qty": _amount(row["final_qty"]),
        "decision": row["decision"],
        "reason": row["reason"],
        "verdicts": row["verdicts"],
        "order_id": row["order_id"],
        "at": moment(row["at"]),
        "received_at": moment(row["received_at"]),
        "note": _without_exits(row),
    }


def _without_exits(row: Row) -> str | None:
    """What is easily missed: levels that nobody watches. An alert's levels are exits, always."""
    body = row["body"]
    levels = [name for name in ("stop", "target") if body.get(name) is not None]
    if not levels or body.get("bracket") or "hook" in body or not row["final_qty"]:
        return None
    judged = "is a figure" if len(levels) == 1 else "are figures"
    return (
        f'no exits: without "bracket": true, {" and ".join(levels)} {judged} for the gates alone,'
        " and what it opens stands without exits"
    )
