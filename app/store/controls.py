"""Halts: permanent rows, locked by every intent, so that no switch slips between.

A switch that is thrown at level `close_only` stops new children and new orders in its scope, but
for those that only reduce a position; at level `halt` it stops these too; at level `cancel` open
orders are ended as well; at level `flatten` positions are closed after that. The row of `all` also
counts: its version is the number of changes ever made to any switch, and every change bears its own
number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.domain.instant import Instant, rfc3339
from app.store import trail
from app.store.database import Connection
from app.store.journal import OPEN
from app.store.rows import Row

EVERYTHING = "*"
"""The one name in the scope `all`; and the account of events that concern every account."""

CHANGED = "control.changed"


class Scope(StrEnum):
    ALL = "all"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    SYMBOL = "symbol"


class Level(StrEnum):
    """What a switch asks for while it is thrown; a later one includes those before."""

    CLOSE_ONLY = "close_only"
    HALT = "halt"
    CANCEL = "cancel"
    FLATTEN = "flatten"

    @property
    def cancels(self) -> bool:
        """Whether open orders have to end."""
        return self in (Level.CANCEL, Level.FLATTEN)


# Row locks that many share overlap without a gap, and whoever wants the row alone waits for ever:
# thirty seconds were measured. Advisory locks queue, so a switch waits for the intents before it
# and for none after it. The row is locked as well, for whoever knows of nothing else.
_ONE_AT_A_TIME = 0x5115_0001
INTEND = (
    "SELECT FROM controls WHERE scope = 'all' AND name = '*'"
    f" AND (SELECT pg_advisory_xact_lock_shared({_ONE_AT_A_TIME})) IS NOT NULL FOR SHARE"
)
_SWITCH = (
    "SELECT FROM controls WHERE scope = 'all' AND name = '*'"
    f" AND (SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})) IS NOT NULL FOR NO KEY UPDATE"
)

_SEVERITY = {level: n for n, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Switch:
    """One kill switch as its last change left it. `version` is the number of that change."""

    scope: Scope
    name: str
    halted: bool
    level: Level
    reason: str
    version: int
    changed_at: Instant
    changed_by: str | None

    def bears_on(
        self, *, account: str, symbol: str, strategy: str | None, reduces: bool = False
    ) -> bool:
        """Whether it stops an order, which `reduces` a position and never turns it."""
        if reduces and self.level is Level.CLOSE_ONLY:
            return False
        names = {
            Scope.ALL: EVERYTHING,
            Scope.ACCOUNT: account,
            Scope.STRATEGY: strategy,
            Scope.SYMBOL: symbol,
        }
        return names[self.scope] == self.name


async def thrown(connection: Connection, *, accounts: Iterable[str] | None) -> tuple[Switch, ...]:
    """The switches in force that bear on these accounts (None: on any)."""
    found = await connection.fetch(
        "SELECT * FROM controls WHERE halted"
        " AND (scope <> 'account' OR $1::text[] IS NULL OR name = ANY($1)) ORDER BY scope, name",
        list(accounts) if accounts is not None else None,
    )
    return tuple(_switch(row) for row in found)


async def throw(
    connection: Connection, *, scope: Scope, name: str, level: Level, reason: str, by: str
) -> Switch:
    """Throw a switch. Must run in a transaction, and be the first thing in it.

    Thrown again, it may rise to a higher level and never falls to a lower one; with nothing new
    to say it stays as it is and no change is counted.
    """
    before = await locked(connection, scope=scope, name=name)
    if before is not None and before.halted:
        level = max(level, before.level, key=_SEVERITY.__getitem__)
        if (level, reason) == (before.level, before.reason):
            return before
    return await _change(connection, before, scope, name, True, level, reason, by)


async def release(
    connection: Connection, *, scope: Scope, name: str, reason: str, by: str
) -> Switch | None:
    """Release a switch; None where none is thrown. Must run in a transaction, first thing."""
    before = await locked(connection, scope=scope, name=name)
    if before is None or not before.halted:
        return None
    return await _change(connection, before, scope, name, False, before.level, reason, by)


async def open_orders(connection: Connection, switch: Switch) -> int:
    """How many orders that are not finished a switch bears on."""
    found: int = await connection.fetchval(
        f"SELECT count(*) FROM orders WHERE {OPEN} AND CASE $1 WHEN 'all' THEN true"
        " WHEN 'account' THEN account = $2 WHEN 'strategy' THEN strategy = $2"
        " ELSE symbol = $2 END",
        switch.scope.value,
        switch.name,
    )
    return found


async def cancel_seconds(connection: Connection, switch: Switch) -> float | None:
    """How long the open children of a switch take to cancel, by what their brokers let through;
    None where no broker states a rate."""
    found: float | None = await connection.fetchval(
        "SELECT max(n::float8 / a.cancels_per_second) FROM (SELECT o.account, count(*) AS n"
        " FROM orders o JOIN children c ON c.account = o.account AND c.order_id = o.id"
        f" WHERE o.{OPEN} AND c.{OPEN} AND CASE $1 WHEN 'all' THEN true"
        " WHEN 'account' THEN o.account = $2 WHEN 'strategy' THEN o.strategy = $2"
        " ELSE o.symbol = $2 END GROUP BY o.account) AS open JOIN accounts a USING (account)",
        switch.scope.value,
        switch.name,
    )
    return found


async def find(connection: Connection, *, scope: Scope, name: str) -> Switch | None:
    """A switch as its last change left it."""
    row = await connection.fetchrow(
        "SELECT * FROM controls WHERE scope = $1 AND name = $2", scope.value, name
    )
    return _switch(row) if row is not None else None


async def locked(connection: Connection, *, scope: Scope, name: str) -> Switch | None:
    """A switch as it is, and stays until the transaction ends. Must be the first thing in it."""
    # Apart from what follows: every intent that began before has ended when this returns, and
    # the next statement's clock and snapshot are later than all of them.
    await connection.execute(_SWITCH)
    return await find(connection, scope=scope, name=name)


async def _change(
    connection: Connection,
    before: Switch | None,
    scope: Scope,
    name: str,
    halted: bool,
    level: Level,
    reason: str,
    by: str,
) -> Switch:
    number = await connection.fetchval(
        "UPDATE controls SET version = version + 1 WHERE scope = 'all' AND name = '*'"
        " RETURNING version"
    )
    row = await connection.fetchrow(
        "INSERT INTO controls (scope, name, halted, level, reason, version, changed_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (scope, name) DO UPDATE SET"
        " halted = excluded.halted, level = excluded.level, reason = excluded.reason,"
        " version = excluded.version, changed_at = excluded.changed_at,"
        " changed_by = excluded.changed_by RETURNING *",
        scope.value,
        name,
        halted,
        level.value,
        reason,
        number,
        by,
    )
    assert row is not None, "the upsert returns its row"
    switch = _switch(row)
    await connection.execute(
        "INSERT INTO control_log (version, scope, name, halted, level, reason, changed_at,"
        " changed_by) SELECT version, scope, name, halted, level, reason, changed_at, changed_by"
        " FROM controls WHERE scope = $1 AND name = $2",
        scope.value,
        name,
    )
    await trail.add(
        connection,
        actor=by,
        action="kill_switch.thrown" if halted else "kill_switch.released",
        target=f"{scope.value}:{name}",
        account=name if scope is Scope.ACCOUNT else None,
        before=_stood(before),
        after={"thrown": halted, "level": level.value, "version": switch.version},
        reason=reason,
    )
    await _tell(connection, switch)
    return switch


def _stood(before: Switch | None) -> dict[str, str | int | bool | None] | None:
    """What a change found, for the trail. The row of `all` is there before anybody threw it."""
    if before is None or before.changed_by is None:
        return None
    shown = as_told(before)
    return {name: shown[name] for name in ("thrown", "level", "reason")}


async def _tell(connection: Connection, switch: Switch) -> None:
    # At market time, like every event; by the machine's where no worker has told it yet.
    await connection.execute(
        "INSERT INTO events (account, type, at, data)"
        " VALUES ($1, $2, coalesce((SELECT now FROM market_clock), clock_timestamp()), $3)",
        concerned(switch),
        CHANGED,
        as_told(switch) | ({"symbol": switch.name} if switch.scope is Scope.SYMBOL else {}),
    )


def concerned(switch: Switch) -> str:
    """The account under which events and alerts of a switch are told."""
    return switch.name if switch.scope is Scope.ACCOUNT else EVERYTHING


def as_told(switch: Switch) -> dict[str, str | int | bool | None]:
    """A switch as answers and events show it."""
    return {
        "scope": switch.scope.value,
        "name": switch.name,
        "thrown": switch.halted,
        "level": switch.level.value,
        "reason": switch.reason,
        "version": switch.version,
        "changed_at": rfc3339(switch.changed_at),
        "changed_by": switch.changed_by,
    }


def _switch(row: Row) -> Switch:
    return Switch(
        scope=Scope(row["scope"]),
        name=row["name"],
        halted=row["halted"],
        level=Level(row["level"]),
        reason=row["reason"] or "halted",
        version=row["version"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )
