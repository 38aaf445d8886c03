"""How long nothing was heard of a child that should have ended, or of its fate."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.lifecycle import CHILD_DONE, ChildStatus
from app.store.database import Connection
from app.store.rows import Row


@dataclass(frozen=True, slots=True)
class Silence:
    """A child, and the seconds since anything was written down about it (the machine's time)."""

    status: ChildStatus
    filled: Decimal
    cancel_requested: bool
    seconds: float

    @property
    def done(self) -> bool:
        return self.status in CHILD_DONE


async def silence(connection: Connection, order: Row, child_id: str) -> Silence | None:
    """None where the order has no such child."""
    row = await connection.fetchrow(
        "SELECT status, filled, cancel_requested_at IS NOT NULL AS asked,"
        " extract(epoch FROM clock_timestamp() - updated_at)::float8 AS seconds"
        " FROM children WHERE account = $1 AND order_id = $2 AND id = $3",
        order["account"],
        order["id"],
        child_id,
    )
    if row is None:
        return None
    return Silence(ChildStatus(row["status"]), row["filled"], row["asked"], row["seconds"])
