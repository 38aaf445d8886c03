"""Halts: permanent rows, locked by every intent, so that no switch slips between."""

from collections.abc import Mapping

from app.store.database import Connection


async def halts(
    connection: Connection, *, account: str, lock: bool = False
) -> dict[tuple[str, str], str]:
    """What is halted and bears on an account: (scope, name) → reason.

    With `lock`, the rows are held FOR SHARE until the transaction ends: a switch thrown later
    waits, one thrown earlier is seen. For that every switch, whatever it halts, must first update
    the row of `all` in its own transaction: a row that it makes anew cannot be locked by others.
    """
    if lock:
        # A statement of its own: only the next one's snapshot has the rows of a switch that
        # this one waited for.
        await connection.execute(
            "SELECT FROM controls WHERE scope = 'all' AND name = '*' FOR SHARE"
        )
    found = await connection.fetch(
        "SELECT scope, name, halted, reason FROM controls"
        " WHERE scope IN ('all', 'strategy', 'symbol') OR (scope = 'account' AND name = $1)"
        " ORDER BY scope, name" + (" FOR SHARE" if lock else ""),
        account,
    )
    return {(r["scope"], r["name"]): r["reason"] or "halted" for r in found if r["halted"]}


def halt_for(
    halted: Mapping[tuple[str, str], str], *, symbol: str, strategy: str | None
) -> str | None:
    """The halt that bears on an order, as `scope:name: reason`; `halted` is of its account."""
    for (scope, name), reason in halted.items():
        concerned = scope in ("all", "account") or name == (
            symbol if scope == "symbol" else strategy
        )
        if concerned:
            return f"{scope}:{name}: {reason}"
    return None
