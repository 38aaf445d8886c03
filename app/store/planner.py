"""Tells the database's planner of tables that have grown since it last looked at them.

A session keeps its plans, those that check foreign keys too. Made while a table is still empty,
where every index looks as good as every other, such a plan may read all rows of an account; the
server notices by itself after a minute, and until then a fill takes 100 ms. An ANALYZE makes every
session plan anew.

It is of the columns by which rows are found: of all sixty of an order it takes ten times as long,
on the processors that enter orders meanwhile. The server looks at the rest in its own time.
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

_INDEXED = (
    "SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a"
    " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND EXISTS ("
    "SELECT FROM pg_index i LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
    " AND d.objid = i.indexrelid AND d.refobjid = c.oid"
    # What an index is limited to is known of its dependencies alone.
    " WHERE i.indrelid = c.oid AND (a.attnum = ANY (i.indkey) OR a.attnum = d.refobjsubid))"
)
_GROWN = (
    f"SELECT quote_ident(s.relname) AS name, ({_INDEXED}) AS columns"
    " FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
    " WHERE s.schemaname = current_schema() AND s.n_live_tup > $1 * greatest(c.reltuples, 20)"
    " AND pg_has_role(c.relowner, 'USAGE') ORDER BY 1"
)


async def analyze_grown(connection: Connection) -> list[str]:
    """ANALYZE every table of ours that has grown tenfold; the names of those that let us."""
    grown = await connection.fetch(_GROWN, GROWTH)
    return [table for table, columns in grown if await _analyzed(connection, table, columns)]


async def _analyzed(connection: Connection, table: str, columns: str | None) -> bool:
    """`columns`: None, all of them."""
    what = f"{table} ({columns})" if columns else table
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
            await connection.execute(f"ANALYZE {what}")
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
