"""Alerts that stay until somebody acknowledges them; a storm collapses into a count."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from app.domain.alert import Alert
from app.domain.instant import Instant
from app.domain.refusal import Missing
from app.store import event_log
from app.store.database import Connection

_GRADE = "array_position(ARRAY['info', 'warning', 'error', 'critical'], {}.severity)"


async def raise_alerts(
    connection: Connection, *, account: str, alerts: Sequence[Alert], at: Instant
) -> None:
    """Open alerts or count repeats. The first of its kind and the acknowledged-again are told
    on the stream. Must run in a transaction."""
    # In key order, so that two raisers never wait for each other in a circle.
    for alert in sorted(alerts, key=lambda alert: (alert.rule, alert.subject)):
        row = await connection.fetchrow(
            "INSERT INTO alerts (account, id, rule, subject, severity, message, data, order_id, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " ON CONFLICT (account, rule, subject) WHERE acknowledged_at IS NULL"
            # What has become graver is shown so; what has become milder was grave.
            " DO UPDATE SET count = alerts.count + 1, message = excluded.message,"
            f" severity = CASE WHEN {_GRADE.format('excluded')} > {_GRADE.format('alerts')}"
            " THEN excluded.severity ELSE alerts.severity END,"
            " data = excluded.data, at = excluded.at RETURNING *",
            account,
            uuid4(),
            alert.rule,
            alert.subject,
            alert.severity.value,
            alert.message,
            alert.data,
            alert.order_id,
            at,
        )
        assert row is not None, "the upsert returns its row"
        if row["count"] == 1:
            await _tell(connection, account, "alert.raised", row, at)


async def acknowledge(
    connection: Connection, *, alert_id: str, accounts: Sequence[str] | None, by: str
) -> Any:
    """The alert's row, acknowledged (again: unchanged). Raises Missing."""
    row = await connection.fetchrow(
        "SELECT * FROM alerts WHERE id = $1 AND ($2::text[] IS NULL OR account = ANY($2))"
        " FOR UPDATE",
        alert_id,
        accounts,
    )
    if row is None:
        raise Missing("unknown_alert", f"no alert {alert_id}")
    if row["acknowledged_at"] is None:
        row = await connection.fetchrow(
            "UPDATE alerts SET acknowledged_at = clock_timestamp(), acknowledged_by = $2"
            " WHERE id = $1 RETURNING *",
            alert_id,
            by,
        )
        assert row is not None, "the row is locked"
        await _tell(connection, row["account"], "alert.acknowledged", row, row["at"])
    return row


async def _tell(connection: Connection, account: str, type: str, row: Any, at: Instant) -> None:
    await event_log.write(
        connection,
        account=account,
        type=type,
        at=at,
        data={
            "alert_id": row["id"],
            "rule": row["rule"],
            "severity": row["severity"],
            "message": row["message"],
            "order_id": row["order_id"],
            "count": row["count"],
            "acknowledged_by": row["acknowledged_by"],
            **row["data"],
        },
    )
