"""Tables that grow from nothing are planned for as what they have become."""

import asyncio

from app.store.database import Database
from app.store.planner import Planner, analyze_grown
from tests.store.seeds import intent, record, value, working

CHECK = "SELECT 1 FROM ONLY children x WHERE account = $1 AND id = $2 FOR KEY SHARE OF x"
"""What the foreign key of fills asks."""


WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def grow(database: Database, order_id: str, first: int, last: int) -> None:
    """Children of these numbers, as copies of the first."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO children (account, id, order_id, number, epoch, symbol, side, qty, price,"
            " purpose, time_in_force, status, intended_at, quote_at, filled, why, adopted)"
            " SELECT account, id || n, order_id, n, epoch, symbol, side, qty, price, purpose,"
            " time_in_force, 'canceled', intended_at, quote_at, filled, why, adopted"
            " FROM children, generate_series($2::int, $3::int) n"
            " WHERE order_id = $1 AND number = 1",
            order_id,
            first,
            last,
        )
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT 1")


async def analyzed(database: Database) -> list[str]:
    async with database.connection() as connection:
        found = await analyze_grown(connection)
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT 1")
    return found


async def kept_plan(database: Database) -> str:
    """The plan that a session made while the table was empty, as it is used now."""
    async with database.connection() as connection:
        lines = await connection.fetch("EXPLAIN EXECUTE asked ('a', 'b')")
    return "\n".join(line[0] for line in lines)


async def test_a_plan_made_while_the_table_was_empty_is_made_anew(own_url: str) -> None:
    database = await Database.open(own_url, connections=1)
    try:
        async with database.connection() as connection:
            typed = CHECK.replace("$1", "$1::text").replace("$2", "$2::text")
            await connection.execute(f"PREPARE asked AS {typed}")
            for _ in range(6):
                await connection.execute("EXECUTE asked ('a', 'b')")
        order_id = await working(database)
        await record(database, order_id, intent(order_id, 1, 100))
        await grow(database, order_id, 2, 900)
        before = await kept_plan(database)
        assert "id = $2)" not in before.split("Index Cond:")[-1].split("Filter")[0]
        assert "children" in await analyzed(database)
        assert "pk_children" in await kept_plan(database)
    finally:
        await database.close()


async def test_only_what_has_grown_tenfold_is_analyzed(own_url: str) -> None:
    database = await Database.open(own_url, connections=1)
    try:
        assert await analyzed(database) == []
        order_id = await working(database)
        await record(database, order_id, intent(order_id, 1, 100))
        await grow(database, order_id, 2, 150)
        assert await analyzed(database) == []
        await grow(database, order_id, 151, 450)
        assert await analyzed(database) == ["children"]
        assert await analyzed(database) == []
    finally:
        await database.close()


UNSEARCHED = (
    "SELECT c.relname || '.' || a.attname, EXISTS ("
    "SELECT FROM pg_index i LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
    " AND d.objid = i.indexrelid AND d.refobjid = c.oid"
    # What an index is limited to is known of its dependencies alone.
    " WHERE i.indrelid = c.oid AND (a.attnum = ANY (i.indkey) OR a.attnum = d.refobjsubid))"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE c.relkind = 'r' AND a.attstattarget = 0 AND a.attnum > 0 AND NOT a.attisdropped"
    " AND c.relnamespace = current_schema()::regnamespace"
)


async def test_whatever_an_index_holds_is_analyzed(own_url: str) -> None:
    database = await Database.open(own_url, connections=1)
    try:
        async with database.connection() as connection:
            unsearched = dict(await connection.fetch(UNSEARCHED))
            assert {"orders.curve", "events.data", "children.why"} < unsearched.keys()
            assert [name for name, indexed in unsearched.items() if indexed] == []
            # The test sees what it looks for: a key, and what an index is limited to.
            await connection.execute(
                "ALTER TABLE orders ALTER id SET STATISTICS 0, ALTER attention SET STATISTICS 0"
            )
            unsearched = dict(await connection.fetch(UNSEARCHED))
            assert unsearched["orders.id"]
            assert unsearched["orders.attention"]
    finally:
        await database.close()


async def grown(database: Database, table: str, rows: int) -> None:
    """A table of ours with so many rows that nobody has looked at."""
    async with database.connection() as connection:
        await connection.execute(f"CREATE TABLE {table} AS SELECT generate_series(1, {rows})")
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT 1")


async def test_a_table_that_somebody_has_locked_is_left_for_later(own_url: str) -> None:
    database = await Database.open(own_url, connections=2)
    try:
        await grown(database, "one", 1_000)
        await grown(database, "two", 1_000)
        async with database.transaction() as other, asyncio.timeout(30):
            await other.execute("LOCK one IN SHARE UPDATE EXCLUSIVE MODE")
            assert await analyzed(database) == ["two"]
        assert await analyzed(database) == ["one"]
    finally:
        await database.close()


async def test_a_table_that_is_dropped_does_not_end_the_planner(own_url: str) -> None:
    database = await Database.open(own_url, connections=3)
    planner = Planner(database)
    try:
        await grown(database, "dropped", 1_000)
        async with database.transaction() as other:
            await other.execute("DROP TABLE dropped")
            planner.loop.start()
            async with asyncio.timeout(30):
                while not await value(database, WAITING):
                    await asyncio.sleep(0.005)
        await grown(database, "kept", 1_000)
        async with asyncio.timeout(60):
            while (
                await value(database, "SELECT reltuples FROM pg_class WHERE relname = 'kept'") < 1
            ):
                planner.loop.check()
                await asyncio.sleep(0.05)
    finally:
        await planner.loop.close()
        await database.close()
