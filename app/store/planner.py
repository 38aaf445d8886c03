"""Tells the database's planner of tables that have grown since it last looked at them.

A session keeps its plans, those that check foreign keys too. Made while a table is still empty,
where every index looks as good as every other, such a plan may read all rows of an account; the
server notices by itself after a minute, and until then a fill takes 100 ms. An ANALYZE makes every
session plan anew. Columns that no index holds are mostly left out of it (migration 0027): with all
of an order's it takes more than four times as long, on the processors that work orders meanwhile.
"""

import asyncio

import asyncpg
import structlog

from app.store.background import Background
from app.store.database import Connection, Database, unreachable

log = structlog.get_logger()

LOOK_SECONDS = 2.0
GROWTH = 10
"""A table is looked at again when it is so many times what the planner takes it for."""

_LOCK_MILLISECONDS = 200
"""Whoever changes or analyzes a table goes first: it is looked at again soon."""

_GROWN = (
    "SELECT quote_ident(s.relname) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
    " WHERE s.schemaname = current_schema() AND s.n_live_tup > $1 * greatest(c.reltuples, 20)"
    " AND pg_has_role(c.relowner, 'USAGE') ORDER BY 1"
)


async def analyze_grown(connection: Connection) -> list[str]:
    """ANALYZE every table of ours that has grown tenfold; the names of those that let us."""
    grown = [row[0] for row in await connection.fetch(_GROWN, GROWTH)]
    return [table for table in grown if await _analyzed(connection, table)]


async def _analyzed(connection: Connection, table: str) -> bool:
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
            await connection.execute(f"ANALYZE {table}")
    except asyncpg.PostgresError as failure:
        if unreachable(failure):
            raise
        # Somebody has it locked, or it is no longer there.
        log.warning("table not analyzed", table=table, error=str(failure))
        return False
    return True


class Planner:
    """The loop that does it, in every worker: it finds nothing to do almost always, and no failure
    ends it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.loop = Background(self._run, "planner")

    async def _run(self) -> None:
        while True:
            try:
                async with self._database.connection() as connection:
                    grown = await analyze_grown(connection)
                if grown:
                    log.info("tables analyzed", tables=grown)
            except Exception as failure:
                # A convenience: whatever is wrong with it, orders are worked on.
                log.warning("tables not looked at", error=repr(failure))
            await asyncio.sleep(LOOK_SECONDS)
