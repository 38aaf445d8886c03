"""The decisions of an order as they are stored: what each did, with what it saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.instant import Instant
from app.store.database import Connection
from app.store.rows import Row

INTENDED, AMENDED = "child.intended", "order.amended"
RETERMED = (AMENDED, "order.stop_hit", "order.exit_forced")
"""What an order asks for is something else after these; `why` keeps what it was before."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an order. `why` is what the decision saw whose first fact it tells, or what an
    amendment replaced; empty where nothing was stored."""

    seq: int
    type: str
    at: Instant
    data: Mapping[str, Any]
    why: Mapping[str, Any]

    @property
    def decides(self) -> bool:
        """Whether a decision begins here, of which something was stored."""
        return bool(self.why.keys() - {"before"})

    @property
    def child_id(self) -> str | None:
        """The child that the decision sent."""
        return self.data["child_id"] if self.type == INTENDED else None

    @property
    def facts(self) -> int:
        """How many events the decision has: this one, and those that follow."""
        return int(self.why.get("actions", 1))


async def history(connection: Connection, row: Row) -> Sequence[Told]:
    """All events of an order, the oldest first, with what was stored beside them."""
    found = await connection.fetch(
        "SELECT e.seq, e.type, e.at, e.data, coalesce(e.why, c.why, '{}'::jsonb) AS why"
        " FROM events e LEFT JOIN children c ON c.account = e.account"
        " AND e.type = 'child.intended' AND c.id = e.data ->> 'child_id'"
        " WHERE e.account = $1 AND e.order_id = $2 ORDER BY e.seq",
        row["account"],
        row["id"],
    )
    return [Told(r["seq"], r["type"], r["at"], r["data"], r["why"]) for r in found]
