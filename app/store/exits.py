"""Groups of an entry and its exits: which have something due, and what they are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.bracket import NOTHING_TO_EXIT, Bracket, Entry, Leg, Levels, from_json
from app.domain.lifecycle import ORDER_DONE
from app.domain.quantity import ZERO, Side
from app.store import rows
from app.store.columns import ORDERS
from app.store.database import Connection
from app.store.drafts import take_turns
from app.store.rows import Row

ENTRY, EXIT = "entry", "exit"
"""Roles."""


@dataclass(frozen=True, slots=True)
class Group:
    """An entry with its exits, the oldest first. `row` is the entry's; `executions` none yet."""

    row: Row
    bracket: Bracket
    entry: Entry
    legs: tuple[Leg, ...]
    lot: Decimal
    tick: Decimal
    live: tuple[str, ...] = ()
    """Children of its open exit that nobody has asked to cancel."""

    @property
    def prefix(self) -> str:
        return f"{EXIT}-{self.row['id']}-"


async def due(connection: Connection, *, account: str, broker: str) -> dict[str, str]:
    """Groups in which something happened that nobody has answered for: their symbols, by id."""
    found = await connection.fetch(
        "SELECT DISTINCT group_id, symbol FROM orders WHERE account = $1 AND broker = $2"
        " AND exits_due ORDER BY group_id",
        account,
        broker,
    )
    return {row["group_id"]: row["symbol"] for row in found}


async def lock(connection: Connection, *, account: str, group_id: str) -> list[str]:
    """Wait for other writers of the group's orders, before this transaction has an id."""
    found = await connection.fetch(
        "SELECT id FROM orders WHERE account = $1 AND group_id = $2 ORDER BY id", account, group_id
    )
    ids = [row["id"] for row in found]
    await take_turns(connection, ids)
    return ids


async def load(connection: Connection, *, account: str, ids: Sequence[str]) -> Group | None:
    """The group, its rows held until the transaction ends; None without its entry."""
    found = await connection.fetch(
        f"SELECT {ORDERS} FROM orders WHERE account = $1 AND id = ANY($2) ORDER BY id FOR UPDATE",
        account,
        list(ids),
    )
    entry = next((row for row in found if row["role"] == ENTRY), None)
    if entry is None:
        return None
    legs = tuple(_leg(row) for row in found if row["role"] == EXIT)
    live = await connection.fetch(
        "SELECT id FROM children WHERE account = $1 AND order_id = ANY($2)"
        " AND status NOT IN ('filled', 'canceled', 'rejected', 'expired', 'intent', 'unknown')"
        " AND cancel_requested_at IS NULL ORDER BY id",
        account,
        [leg.id for leg in legs if not leg.over],
    )
    instrument = rows.instrument_from_json(entry["instrument"])
    return Group(
        row=entry,
        bracket=from_json(entry["bracket"]),
        entry=_entry(entry),
        legs=legs,
        lot=instrument.lot,
        tick=instrument.tick,
        live=tuple(row["id"] for row in live),
    )


async def own_position(
    connection: Connection, *, account: str, symbol: str, strategy: str | None
) -> Decimal:
    """What the orders of one strategy made of the account's position, whatever others did. A
    switch that flattens the whole account ends what every strategy holds: what was entered before
    it is not counted, and neither are orders that retention has removed."""
    # `IS NOT DISTINCT FROM` would use no index.
    whose = "o.strategy IS NULL" if strategy is None else "o.strategy = $3"
    found: Decimal | None = await connection.fetchval(
        "SELECT sum(CASE o.side WHEN 'buy' THEN o.filled ELSE -o.filled END) FROM orders o"
        f" WHERE o.account = $1 AND o.symbol = $2 AND {whose} AND NOT (o.role = 'flatten'"
        " AND o.strategy IS NULL) AND o.created_at > coalesce((SELECT max(f.created_at)"
        " FROM orders f WHERE f.account = $1 AND f.symbol = $2 AND f.role = 'flatten'"
        " AND f.strategy IS NULL), '-infinity')",
        account,
        symbol,
        *([strategy] if strategy is not None else []),
    )
    return found if found is not None else ZERO


async def answered(connection: Connection, *, account: str, ids: Sequence[str]) -> None:
    """What was due in these orders is done, in the transaction that did it."""
    await connection.execute(
        "UPDATE orders SET exits_due = false WHERE account = $1 AND id = ANY($2) AND exits_due",
        account,
        list(ids),
    )


def _entry(row: Row) -> Entry:
    filled = row["filled"]
    return Entry(
        side=Side(row["side"]),
        filled=filled,
        average=row["filled_notional"] / filled if filled > 0 else None,
        over=row["status"] in ORDER_DONE,
        ending=_ending(row),
    )


def _leg(row: Row) -> Leg:
    stop = row["params"].get("stop")
    over = row["status"] in ORDER_DONE
    asked = row["reason"] if over else row["cancel_reason"]
    return Leg(
        id=row["id"],
        qty=row["qty"],
        filled=row["filled"],
        reserved=row["working"] + row["unknown"],
        over=over,
        ending=_ending(row),
        given_up=row["status"] in ("canceled", "rejected") and asked != NOTHING_TO_EXIT,
        levels=Levels(row["limit_price"], Decimal(stop) if stop is not None else None),
        forced=row["params"].get("forced"),
    )


def _ending(row: Row) -> bool:
    return row["cancel_reason"] is not None or row["status"] in ("closing", "needs_operator")
