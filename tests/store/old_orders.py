"""Finished orders that have lain for days, and who removes them."""

from datetime import timedelta
from pathlib import Path

from app.domain.fact import Moved, Sent
from app.domain.lifecycle import OrderStatus
from app.engine.housekeeping import Housekeeping, Keeping
from app.store import intake
from app.store.arrival import Accepted
from app.store.database import Database
from tests.domain.tasks import OPEN
from tests.store.seeds import (
    an_arrival,
    fetch,
    fill,
    intent,
    record,
    task,
)


async def finished(database: Database, *, qty: int = 100, **given: str) -> str:
    """An order that was filled in two parts; its id."""
    of = task("twap", qty)
    (verdict,) = await intake.insert(database, [an_arrival(of, **given)])
    assert isinstance(verdict, Accepted)
    await record(database, of.order_id, Moved(OPEN, OrderStatus.WORKING))
    first = intent(of.order_id, 1, qty)
    name = first.child_id
    await record(database, of.order_id, first, Sent(OPEN, name, f"b-{name}"))
    await record(
        database,
        of.order_id,
        fill(name, f"{name}-1", qty // 4, price="10.5"),
        fill(name, f"{name}-2", qty - qty // 4),
        Moved(OPEN, OrderStatus.FILLED),
    )
    return of.order_id


async def age(database: Database, days: int = 2, *ids: str) -> None:
    """Let orders, and everything without one, lie for some days."""
    back = f"- interval '{days} days'"
    where = "WHERE id = ANY($1::uuid[])" if ids else "WHERE $1::uuid[] IS NOT NULL"
    await fetch(
        database,
        f"UPDATE orders SET created_at = created_at {back}, updated_at = updated_at {back} {where}",
        list(ids),
    )
    for table, column in (("events", "recorded_at"), ("idempotency", "created_at")):
        await fetch(database, f"UPDATE {table} SET {column} = {column} {back}")


def keeper(database: Database, folder: Path | None = None) -> Housekeeping:
    return Housekeeping(database, Keeping(timedelta(days=1), folder))
