"""What keeps new children back: the switches in force, as every intent reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.store.controls import Level, Switch
from app.store.database import Connection
from app.store.leases import Lease, Lost, held_by
from app.store.rows import Row


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing new goes on; `closes`: but for what only reduces a position."""

    reason: str
    closes: bool = False


Halts = Mapping[tuple[str, str], Halt]
"""What is halted, by scope and name."""


_BEARING = "c.scope IN ('all', 'strategy', 'symbol') OR (c.scope = 'account' AND c.name = $1)"
_TOLD = "c.scope, c.name, c.halted, c.level, c.reason"
_HELD = (
    f"WITH mine AS MATERIALIZED ({held_by('$2', '$3')})"
    f" SELECT {_TOLD}, EXISTS (SELECT FROM mine) AS owned"
    f" FROM controls c WHERE {_BEARING} ORDER BY c.scope, c.name FOR SHARE OF c"
)


async def halts(connection: Connection, *, account: str) -> Halts:
    """What is halted and bears on an account."""
    return _halts(
        await connection.fetch(f"SELECT {_TOLD} FROM controls c WHERE {_BEARING}", account)
    )


async def held(connection: Connection, *, account: str, lease: Lease) -> Halts:
    """The same, held still until the transaction ends, as the row of the lease is. Raises
    leases.Lost when that is not ours.

    The transaction must have begun with `controls.INTEND`: a switch thrown later waits, one thrown
    earlier is seen, for only a later statement than the one that waited has its rows. For that
    every switch, whatever it halts, first updates the row of `all` in its own transaction: a row
    that it makes anew cannot be locked by others.
    """
    found = await connection.fetch(_HELD, account, lease.name, lease.epoch)
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
