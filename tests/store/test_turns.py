"""Writers of the same orders take turns before they have a transaction id."""

import asyncio

import pytest

from app.domain.fact import CancelRequested
from app.store import journal
from app.store.database import Database
from app.store.drafts import take_turns
from app.store.journal import Entry, Recorded
from tests.domain.tasks import OPEN
from tests.store.seeds import ACCOUNT, BROKER, fetch, working


async def cancel(
    database: Database, *order_ids: str, reason: str, remembered: bool, version: int | None = None
) -> list[Recorded]:
    entries = [Entry(order_id, [CancelRequested(OPEN, reason)], version) for order_id in order_ids]
    async with database.connection() as connection:
        loaded = await journal.load(connection, account=ACCOUNT, order_ids=order_ids)
    known = {order_id: (v, e) for order_id, (e, v) in loaded.items()} if remembered else None
    async with database.transaction() as connection:
        return await journal.record(
            connection, account=ACCOUNT, broker=BROKER, entries=entries, known=known
        )


async def waiting(database: Database, count: int) -> None:
    """Until so many transactions wait for a lock."""
    async with asyncio.timeout(60):
        while len(await fetch(database, "SELECT FROM pg_locks WHERE NOT granted")) < count:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("remembered", [False, True])
async def test_an_orders_events_are_read_in_the_order_of_their_numbers(
    database: Database, remembered: bool
) -> None:
    """A batch of three is held up at its second order; meanwhile somebody writes to its third."""
    first, second, third = sorted([await working(database) for _ in range(3)])
    async with database.transaction() as holder:
        await holder.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", second)
        batch = asyncio.create_task(
            cancel(database, first, second, third, reason="batch", remembered=remembered)
        )
        await waiting(database, 1)
        other = asyncio.create_task(cancel(database, third, reason="other", remembered=remembered))
        # The other must wait for its turn; or, were there no turns, be done by now.
        second_waits = asyncio.create_task(waiting(database, 2))
        await asyncio.wait({second_waits, other}, return_when=asyncio.FIRST_COMPLETED)
        second_waits.cancel()
    await asyncio.gather(batch, other)
    rows = await fetch(
        database, "SELECT seq FROM events e WHERE order_id = $1 ORDER BY e.xid, e.id", third
    )
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)


async def test_what_changes_while_one_waits_for_the_turn_is_seen(database: Database) -> None:
    order_id = await working(database)
    async with database.connection() as connection:
        ((_, version),) = (
            await journal.load(connection, account=ACCOUNT, order_ids=[order_id])
        ).values()
    async with database.transaction() as holder:
        await take_turns(holder, [order_id])
        decided = asyncio.create_task(
            cancel(database, order_id, reason="late", remembered=True, version=version)
        )
        await waiting(database, 1)
        await journal.record(
            holder,
            account=ACCOUNT,
            broker=BROKER,
            entries=[Entry(order_id, [CancelRequested(OPEN, "first")])],
        )
    (recorded,) = await decided
    assert recorded.stale
    assert recorded.execution.cancel_reason == "first"
