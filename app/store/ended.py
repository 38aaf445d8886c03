"""Orders that are over, the latest first."""

from app.store.database import Connection

FAILED = "(status = 'rejected' OR (status = 'expired' AND filled = 0))"
"""As `domain.alert.failed` has it."""

COUNTS = (
    "NOT (status = 'expired' AND filled = 0"
    " AND params ->> 'completion' IS NOT DISTINCT FROM 'leave')"
)
"""Neither failed nor traded: it was told to leave what the market does not take."""


async def failed_in_a_row(connection: Connection, *, account: str, at_most: int) -> int:
    """How many of the account's orders failed since the last that did not, `at_most` looked at."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FILTER (WHERE so_far) FROM (SELECT bool_and({FAILED})"
        " OVER (ORDER BY finished_at DESC, id DESC) AS so_far FROM (SELECT id, status, filled,"
        f" finished_at FROM orders WHERE account = $1 AND finished_at IS NOT NULL AND ({COUNTS})"
        " ORDER BY finished_at DESC, id DESC LIMIT $2) latest) ended",
        account,
        at_most,
    )
    return found
