"""Changes of limits, and the audit trail."""

from collections.abc import Sequence
from typing import Any

from app.store.database import Connection


async def limit_changes(connection: Connection, *, before: int | None, most: int) -> Sequence[Any]:
    """The latest changes first, those numbered below `before`."""
    found: Sequence[Any] = await connection.fetch(
        "SELECT * FROM limit_log WHERE $1::bigint IS NULL OR version < $1"
        " ORDER BY version DESC LIMIT $2",
        before,
        most,
    )
    return found


async def audit_trail(
    connection: Connection, *, before: int | None, action: str | None, most: int
) -> Sequence[Any]:
    """The latest entries first, those with a lower id than `before`."""
    found: Sequence[Any] = await connection.fetch(
        "SELECT * FROM audit_trail WHERE ($1::bigint IS NULL OR id < $1)"
        " AND ($2::text IS NULL OR action = $2) ORDER BY id DESC LIMIT $3",
        before,
        action,
        most,
    )
    return found
