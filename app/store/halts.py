"""What keeps new children back: the switches in force, as every intent reads them."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.failpoints import reach
from app.store.controls import INTEND, Level, Switch
from app.store.database import Connection, Database
from app.store.leases import HELD, Lease, Lost
from app.store.rows import Row


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing new goes on; `closes`: but for what only reduces a position."""

    reason: str
    closes: bool = False


Halts = Mapping[tuple[str, str], Halt]
"""What is halted, by scope and name."""


def _told(account: str, more: str = "") -> str:
    return (
        f"SELECT c.scope, c.name, c.halted, c.level, c.reason{more} FROM controls c"
        " WHERE c.scope IN ('all', 'strategy', 'symbol')"
        f" OR (c.scope = 'account' AND c.name = {account}) ORDER BY c.scope, c.name"
    )


_HALTS = _told("$1")
# The switches' rows are locked as well as their turn (`INTEND`), for whoever knows of rows alone.
_HELD = (
    f"WITH mine AS MATERIALIZED ({HELD})"
    f" {_told('$3', ', EXISTS (SELECT FROM mine) AS owned')} FOR SHARE OF c"
)


async def halts(connection: Connection, *, account: str) -> Halts:
    """What is halted and bears on an account."""
    return _halts(await connection.fetch(_HALTS, account))


@asynccontextmanager
async def intending(
    database: Database, *, account: str, lease: Lease
) -> AsyncIterator[tuple[Connection, Halts]]:
    """A transaction in which children may be intended, and what is halted and bears on them.

    The switches and the lease's row stay as they are until it ends. Raises leases.Lost when the
    lease is not ours.
    """
    # A switch thrown later waits, one thrown earlier is seen: only a later statement than the one
    # that waited has its rows. For that every switch, whatever it halts, first locks the row of
    # `all` in its own transaction: a row that it makes anew cannot be locked by others.
    async with database.transaction(INTEND) as connection:
        reach("intent.begun")
        yield connection, await _held(connection, account, lease)


async def _held(connection: Connection, account: str, lease: Lease) -> Halts:
    found = await connection.fetch(_HELD, lease.name, lease.epoch, account)
    assert found, "the row of `all` is always there"
    if not found[0]["owned"]:
        raise Lost(lease.name)
    return _halts(found)


def _halts(found: Iterable[Row]) -> Halts:
    return {
        (r["scope"], r["name"]): Halt(r["reason"] or "halted", r["level"] == Level.CLOSE_ONLY)
        for r in found
        if r["halted"]
    }


def halt_for(
    halted: Halts, *, symbol: str, strategy: str | None, reduces: bool = False
) -> str | None:
    """The halt that bears on an order, as `scope:name: reason`; `halted` is of its account."""
    for (scope, name), halt in halted.items():
        if reduces and halt.closes:
            continue
        concerned = scope in ("all", "account") or name == (
            symbol if scope == "symbol" else strategy
        )
        if concerned:
            return f"{scope}:{name}: {halt.reason}"
    return None


def of_switches(switches: Iterable[Switch]) -> Halts:
    """Switches in force as `halt_for` takes them."""
    return {(s.scope.value, s.name): Halt(s.reason, s.level is Level.CLOSE_ONLY) for s in switches}
