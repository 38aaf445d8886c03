"""Reads every order with all that was written about it, a batch at a time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.audit.rule import Connection

BATCH = 1000

Row = Any
Keys = tuple[list[Any], list[Any]]
Grouped = dict[tuple[Any, Any], list[Row]]

_COLUMNS = {
    "events": "seq, type, at, data",
    "children": "id, number, qty, price, purpose, status, filled, adopted, why, reason,"
    " broker_order_id, cancel_requested_at",
    "fills": "execution_id, child_id, qty, price, fee, busted_at",
}


_ORDER = (
    "status, seq, qty, filled, working, unknown, canceled, excess, algo, params, instrument,"
    " start_at, end_at, limit_price, max_participation, reason, cancel_reason, pause_requested,"
    " anchor_at, anchor_done, next_child, rejections, rejected_at"
)


@dataclass(frozen=True, slots=True)
class Story:
    """One order: its row, and what was written about it."""

    row: Row
    events: Sequence[Row]
    children: Sequence[Row]
    fills: Sequence[Row]

    @property
    def name(self) -> str:
        return f"{self.row['account']}/{self.row['id']}"


async def stories(connection: Connection, part: int, parts: int) -> AsyncIterator[Story]:
    """One of `parts` of the orders, in the connection's transaction."""
    orders = await _orders(connection, None, part, parts)
    while orders:
        keys = [row["account"] for row in orders], [row["id"] for row in orders]
        events = await _of(connection, "events", "seq", keys)
        children = await _of(connection, "children", "number", keys)
        fills = await _of(connection, "fills", "execution_id", keys)
        for row in orders:
            key = row["account"], row["id"]
            yield Story(row, events.get(key, []), children.get(key, []), fills.get(key, []))
        orders = await _orders(connection, orders[-1], part, parts)


async def _orders(connection: Connection, after: Row | None, part: int, parts: int) -> list[Row]:
    rows: list[Row] = await connection.fetch(
        f"SELECT account, id, {_ORDER} FROM orders"
        " WHERE ($1::text IS NULL OR (account, id) > ($1, $2::uuid))"
        " AND ($4 = 1 OR abs(uuid_hash(id)::bigint) % $4 = $3)"
        f" ORDER BY account, id LIMIT {BATCH}",
        after["account"] if after else None,
        after["id"] if after else None,
        part,
        parts,
    )
    return rows


async def _of(connection: Connection, table: str, order: str, keys: Keys) -> Grouped:
    rows = await connection.fetch(
        f"SELECT account, order_id, {_COLUMNS[table]} FROM {table}"
        " WHERE account = ANY($1) AND order_id = ANY($2)"
        f" ORDER BY {order}",
        sorted(set(keys[0])),
        keys[1],
    )
    found: Grouped = {}
    for row in rows:
        found.setdefault((row["account"], row["order_id"]), []).append(row)
    return found
