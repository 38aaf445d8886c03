"""A rule that one query can check: it returns the rows at fault as (subject, detail)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from app.audit.records import LISTED, Check, Fault

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # generic in its stubs only

DONE = "('filled', 'canceled', 'expired', 'rejected')"


@dataclass(frozen=True, slots=True)
class Rule:
    """`counted` is the FROM part that says how many rows were looked at."""

    name: str
    invariants: str
    counted: str
    faults: str


async def check(connection: Connection, rule: Rule) -> Check:
    """The rule, checked in the connection's transaction."""
    count = await connection.fetchval(f"SELECT count(*) FROM {rule.counted}")
    rows = await connection.fetch(
        "SELECT subject, detail, count(*) OVER () AS total"
        f" FROM ({rule.faults}) AS found (subject, detail) LIMIT {LISTED}"
    )
    faults = tuple(Fault(row["subject"], row["detail"]) for row in rows)
    return Check(rule.name, rule.invariants, count, faults, rows[0]["total"] if rows else 0)
