"""How many children an account sent lately, and how many of them were refused."""

from collections.abc import Sequence

from app.domain.instant import Instant
from app.store.database import Connection

Lately = tuple[Instant, str, str | None, bool]


async def lately(connection: Connection, *, account: str, since: Instant) -> Sequence[Lately]:
    """When, of which symbol and strategy, and whether the broker refused it; the oldest first."""
    found = await connection.fetch(
        "SELECT c.intended_at, c.symbol, o.strategy,"
        " c.status = 'rejected' AND starts_with(c.reason, 'broker.') AS refused"
        " FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        " WHERE c.account = $1 AND c.intended_at > $2 ORDER BY c.intended_at",
        account,
        since,
    )
    return [(r["intended_at"], r["symbol"], r["strategy"], r["refused"]) for r in found]
