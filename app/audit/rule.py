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


def bound(name: str) -> str:
    """SQL for one of the audit's own bounds, as an interval: see `Bounds`."""
    return f"make_interval(secs => current_setting('audit.{name}')::float8)"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long something may take before it is a fault, in seconds.

    `overdue` is market time after an order's end; the others are machine time: `unknown` without
    an alert, `unowned` while some worker lives, `cancels` after a switch that cancels.
    """

    overdue: float = 600.0
    unknown: float = 60.0
    unowned: float = 15.0
    cancels: float = 10.0

    async def tell(self, connection: Connection) -> None:
        """Make the bounds known to the rules, for this transaction."""
        for name in ("overdue", "unknown", "unowned", "cancels"):
            await connection.execute(
                "SELECT set_config('audit.' || $1, $2, true)", name, str(getattr(self, name))
            )


@dataclass(frozen=True, slots=True)
class Rule:
    """`counted` is the FROM part that says how many rows were looked at."""

    name: str
    invariants: str
    counted: str
    faults: str
    warning: bool = False


async def check(connection: Connection, rule: Rule) -> Check:
    """The rule, checked in the connection's transaction."""
    count = await connection.fetchval(f"SELECT count(*) FROM {rule.counted}")
    rows = await connection.fetch(
        "SELECT subject, detail, count(*) OVER () AS total"
        f" FROM ({rule.faults}) AS found (subject, detail) LIMIT {LISTED}"
    )
    faults = tuple(Fault(row["subject"], row["detail"]) for row in rows)
    total = rows[0]["total"] if rows else 0
    return Check(rule.name, rule.invariants, count, faults, total, warning=rule.warning)
