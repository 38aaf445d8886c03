"""The whole at a glance: counts, owners, schema."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.store.database import Connection
from app.store.views.plain import Answer, moment


async def statistics(connection: Connection, accounts: Sequence[str] | None) -> Mapping[str, Any]:
    """Counts of orders by status and algorithm, children by status, fills, signals by decision."""
    by_status = await connection.fetch(
        "SELECT status, algo, count(*) AS n FROM orders"
        " WHERE $1::text[] IS NULL OR account = ANY($1) GROUP BY status, algo",
        accounts,
    )
    children_by = await connection.fetch(
        "SELECT status, count(*) AS n FROM children"
        " WHERE $1::text[] IS NULL OR account = ANY($1) GROUP BY status",
        accounts,
    )
    filled = await connection.fetchval(
        "SELECT count(*) FROM fills WHERE $1::text[] IS NULL OR account = ANY($1)", accounts
    )
    decisions = await connection.fetch(
        "SELECT decision, count(*) AS n FROM signals"
        " WHERE $1::text[] IS NULL OR account = ANY($1) GROUP BY decision",
        accounts,
    )
    orders_by: dict[str, int] = {}
    algos: dict[str, int] = {}
    for r in by_status:
        orders_by[r["status"]] = orders_by.get(r["status"], 0) + r["n"]
        algos[r["algo"]] = algos.get(r["algo"], 0) + r["n"]
    return {
        "orders": orders_by,
        "algorithms": algos,
        "children": {r["status"]: r["n"] for r in children_by},
        "fills": filled,
        "signals": {r["decision"]: r["n"] for r in decisions},
    }


async def today(connection: Connection) -> date:
    """The day it is by market time, or by the machine's where none was told; UTC."""
    found: date = await connection.fetchval(
        "SELECT (coalesce((SELECT now FROM market_clock), clock_timestamp())"
        " AT TIME ZONE 'UTC')::date"
    )
    return found


async def leases(connection: Connection) -> list[Answer]:
    """Which worker owns what. `held` false: nobody does now."""
    found = await connection.fetch(
        "SELECT name, owner, epoch, until, coalesce(until > clock_timestamp(), false) AS held"
        " FROM leases ORDER BY name"
    )
    return [
        {
            "name": r["name"],
            "owner": r["owner"] if r["held"] else None,
            "epoch": r["epoch"],
            "held": r["held"],
            "until": moment(r["until"]),
        }
        for r in found
    ]


async def schema_revision(connection: Connection) -> str | None:
    """The migration the schema is at, None for a database that was never migrated."""
    known = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    if not known:
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision
