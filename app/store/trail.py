"""The audit trail: who changed what, in the same transaction as the change. Only added to."""

from collections.abc import Mapping
from typing import Any

from app.store.database import Connection


async def add(
    connection: Connection,
    *,
    actor: str,
    action: str,
    target: str,
    account: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """`actor` is the id of a key, or the part of the house that acted by itself."""
    await connection.execute(
        "INSERT INTO audit_trail (actor, action, target, account, before, after, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        actor,
        action,
        target,
        account,
        before,
        after,
        reason,
    )
