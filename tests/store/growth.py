"""Many finished orders beside those of a test, and how many rows a piece of work reads."""

from typing import Any

from app.store.database import Database

TIMES = 12
"""So often that the driver's statements have generic plans towards the end."""

_OVERRIDES = {
    "id": "gen_random_uuid()",
    "key": "'{name}' || n",
    "client_order_id": "'{name}' || n",
    "status": "'canceled'",
    "working": "0",
    "attention": "false",
}


async def grow(database: Database, order_id: str, count: int, *, name: str = "grown") -> None:
    """So many finished orders like this one, each with its first two children and an event."""
    async with database.transaction() as connection:
        names = await connection.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'"
        )
        columns = [row[0] for row in names]
        values = [_OVERRIDES.get(one, one).format(name=name) for one in columns]
        await connection.execute(
            f"INSERT INTO orders ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM orders, generate_series(1, {count}) n WHERE id = $1",
            order_id,
        )
        await connection.execute(
            "INSERT INTO events (account, order_id, seq, type, at, data) SELECT account, id, 9,"
            f" 'order.canceled', accepted_at, '{{}}' FROM orders WHERE key LIKE '{name}%'"
        )
        await connection.execute(
            f"INSERT INTO children SELECT o.account, '{name}' || row_number() OVER (), o.id,"
            " c.number, c.epoch, c.symbol, c.side, c.qty, c.price, c.purpose, c.time_in_force,"
            " 'canceled', c.intended_at, c.quote_at, c.filled, NULL, NULL, NULL, c.why"
            f" FROM orders o, children c WHERE o.key LIKE '{name}%' AND c.order_id = $1"
            " AND c.number < 3",
            order_id,
        )


async def scans(database: Database) -> dict[str, int]:
    """Rows read so far, by scanning tables and by following indexes."""
    async with database.connection() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT 1")
        found = await connection.fetch(
            "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) AS n"
            " FROM pg_stat_user_tables"
        )
    return {row["relname"]: row["n"] for row in found}


async def scanned(database: Database, work: Any, *, few: int = 60) -> dict[str, int]:
    """Tables of which `work` read more than a few rows each time, and how many."""
    before = await scans(database)
    for _ in range(TIMES):
        await work()
    after = await scans(database)
    return {t: n - before[t] for t, n in after.items() if n - before[t] > few * TIMES}
