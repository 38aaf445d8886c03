"""Writers of the same orders take turns before they have a transaction id."""

import asyncio

from app.domain.fact import CancelRequested
from app.store import journal
from app.store.database import Database
from app.store.journal import Entry
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, BROKER, fetch, working


async def cancel(database: Database, *order_ids: str, reason: str) -> None:
    entries = [Entry(order_id, [CancelRequested(OPEN, reason)]) for order_id in order_ids]
    async with database.transaction() as connection:
        await journal.record(connection, account=ACCOUNT, broker=BROKER, entries=entries)


async def waiting(database: Database, count: int) -> None:
    """Until so many transactions wait for a lock."""
    async with asyncio.timeout(60):
        while len(await fetch(database, "SELECT FROM pg_locks WHERE NOT granted")) < count:
            await asyncio.sleep(0.01)


async def test_an_orders_events_are_read_in_the_order_of_their_numbers(
    database: Database,
) -> None:
    """A batch of three is held up at its second order; meanwhile somebody writes to its third."""
    first, second, third = sorted([await working(database) for _ in range(3)])
    async with database.transaction() as holder:
        await holder.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", second)
        batch = asyncio.create_task(cancel(database, first, second, third, reason="batch"))
        await waiting(database, 1)
        other = asyncio.create_task(cancel(database, third, reason="other"))
        # The other must wait for its turn; or, were there no turns, be done by now.
        second_waits = asyncio.create_task(waiting(database, 2))
        await asyncio.wait({second_waits, other}, return_when=asyncio.FIRST_COMPLETED)
        second_waits.cancel()
    await asyncio.gather(batch, other)
    rows = await fetch(
        database, "SELECT seq FROM events e WHERE order_id = $1 ORDER BY e.xid, e.id", third
    )
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
