"""What keeps new children back: the switches in force, as every intent reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.store.controls import INTEND, Level, Switch
from app.store.database import Connection


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing new goes on; `closes`: but for what only reduces a position."""

    reason: str
    closes: bool = False


Halts = Mapping[tuple[str, str], Halt]
"""What is halted, by scope and name."""


async def halts(connection: Connection, *, account: str, lock: bool = False) -> Halts:
    """What is halted and bears on an account.

    With `lock`, the rows are held FOR SHARE until the transaction ends: a switch thrown later
    waits, one thrown earlier is seen. For that every switch, whatever it halts, must first update
    the row of `all` in its own transaction: a row that it makes anew cannot be locked by others.
    """
    if lock:
        # A statement of its own: only the next one's snapshot has the rows of a switch that
        # this one waited for.
        await connection.execute(INTEND)
    found = await connection.fetch(
        "SELECT scope, name, halted, level, reason FROM controls"
        " WHERE scope IN ('all', 'strategy', 'symbol') OR (scope = 'account' AND name = $1)"
        " ORDER BY scope, name" + (" FOR SHARE" if lock else ""),
        account,
    )
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
