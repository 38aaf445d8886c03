"""To look for what calls for a desk costs what calls, not what is open."""

import pytest

from app.store import intake, open_orders
from app.store.arrival import Accepted
from app.store.database import Connection, Database
from tests.store.seeds import ACCOUNT, BROKER, an_arrival

CROWD = 4_000
READ = (
    "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0)"
    " FROM pg_stat_user_tables WHERE relname = 'orders'"
)


async def crowd(database: Database) -> None:
    """Open orders whose flags are cleared, counted by the planner while all were set."""
    verdicts = await intake.insert(database, [an_arrival() for _ in range(CROWD)])
    assert all(isinstance(one, Accepted) for one in verdicts)
    async with database.connection() as connection:
        await connection.execute("ANALYZE orders")
        await connection.execute("UPDATE orders SET attention = false")


async def rows_read(connection: Connection) -> int:
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT 1")
    return int(await connection.fetchval(READ))


async def look(connection: Connection, at_most: int | None, *, times: int) -> None:
    for _ in range(times):
        mine = {"account": ACCOUNT, "broker": BROKER}
        assert await open_orders.take_attention(connection, **mine, at_most=at_most) == []


@pytest.mark.parametrize("at_most", [250, None])
async def test_the_flagged_are_found_without_reading_the_others(
    own_url: str, at_most: int | None
) -> None:
    database = await Database.open(own_url, connections=1)
    try:
        await crowd(database)
        async with database.connection() as connection:
            # What lies dead in the index is visited once, and a plan is kept after five.
            await look(connection, at_most, times=6)
            before = await rows_read(connection)
            await look(connection, at_most, times=20)
            assert await rows_read(connection) - before < CROWD
    finally:
        await database.close()
