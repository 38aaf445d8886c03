"""Removes finished orders that are older than they must be kept, a small batch at a time.

What stays: a tombstone of each order (its `client_order_id` is never entered again), of each fill
(a broker that tells it again is not believed a second time), the sums of removed fills for each
position, and the decision of every signal that became an order, without its body. Idempotency keys
go after their orders. Signals that became none go as they are: none is judged by them any more.

No event goes that a reader has still to read; how far the log was removed is written in the same
transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from app.failpoints import reach
from app.store import event_log, leases
from app.store.database import Connection, Database
from app.store.event_log import Cursor
from app.store.leases import Lease

ROWS = 500
"""So many rows go in one transaction; an order that has more goes alone."""

READ = (
    "NOT EXISTS (SELECT 1 FROM events e WHERE e.account = o.account AND e.order_id = o.id"
    " AND (e.xid, e.id) > ($4::text::xid8, $5))"
)
"""Every reader has read what there is to tell of the order."""

UNNEEDED = (
    "NOT EXISTS (SELECT 1 FROM orders g WHERE g.account = o.account AND g.group_id = o.group_id"
    " AND (g.exits_due OR o.role = 'exit' AND g.role = 'entry'"
    " OR g.status NOT IN ('filled', 'canceled', 'expired', 'rejected')))"
)
"""Nothing is counted with the order any more: an entry outlives its open exits, and no exit goes
before its entry, which would seem to have none."""

DONE = "status IN ('filled', 'canceled', 'expired', 'rejected')"


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished order that may go. `version`: it goes only as it was read, and archived."""

    account: str
    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What one batch took away."""

    orders: int = 0
    events: int = 0


async def accounts(connection: Connection) -> list[str]:
    rows = await connection.fetch("SELECT account FROM accounts ORDER BY account")
    return [row["account"] for row in rows]


async def removable(
    connection: Connection, *, account: str, older_than: float, rows: int = ROWS
) -> list[Finished]:
    """Finished orders untouched for `older_than` seconds whose every event has been read, oldest
    first, of about `rows` rows together."""
    lowest = await event_log.lowest(connection)
    found = await connection.fetch(
        "WITH old AS (SELECT account, id, version, seq, created_at FROM orders o"
        "  WHERE account = $1 AND created_at < clock_timestamp() - make_interval(secs => $2)"
        f" AND updated_at < clock_timestamp() - make_interval(secs => $2) AND {DONE}"
        f" AND {READ} AND {UNNEEDED}"
        "  ORDER BY created_at, id LIMIT 100),"
        # A child and a fill have an event each: an order has less than twice its events in rows.
        " counted AS (SELECT *, sum(2 * seq) OVER (ORDER BY created_at, id) AS up_to FROM old)"
        " SELECT account, id, version FROM counted WHERE up_to <= $3 OR up_to = 2 * seq"
        " ORDER BY created_at, id",
        account,
        older_than,
        rows,
        str(lowest.xid),
        lowest.id,
    )
    return [Finished(row["account"], row["id"], row["version"]) for row in found]


async def remove(database: Database, lease: Lease, finished: Sequence[Finished]) -> Removed:
    """Remove those that are still as they were read and that nobody else holds or has to read.

    Raises leases.Lost when the lease is somebody else's by now.
    """
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        going = await _locked(connection, finished)
        if not going:
            return Removed()
        keys = [f.account for f in going], [f.id for f in going]
        await _carry_positions(connection, keys)
        await _leave_tombstones(connection, keys)
        await _delete(connection, "fills", "order_id", keys)
        await _delete(connection, "children", "order_id", keys)
        await _delete(connection, "marks", "order_id", keys)
        events = await _delete(connection, "events", "order_id", keys, event_log.PLACE)
        await _delete(connection, "orders", "id", keys)
        await event_log.raise_floor(connection, [(row["xid"], row["id"]) for row in events])
        reach("retention.removing")
    return Removed(len(going), len(events))


async def remove_loose_events(
    database: Database, lease: Lease, *, account: str, older_than: float, rows: int = ROWS
) -> Removed:
    """Remove read events that belong to no order (alerts, signals) and are older than
    `older_than` seconds. Raises leases.Lost."""
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        lowest = await event_log.lowest(connection)
        gone = await connection.fetch(
            "DELETE FROM events WHERE id = ANY(ARRAY(SELECT id FROM events"
            " WHERE account = $5 AND order_id IS NULL AND (xid, id) <= ($1::text::xid8, $2)"
            " AND recorded_at < clock_timestamp() - make_interval(secs => $3)"
            f" ORDER BY xid, id LIMIT $4 FOR UPDATE SKIP LOCKED)) RETURNING {event_log.PLACE}",
            str(lowest.xid),
            lowest.id,
            older_than,
            rows,
            account,
        )
        await event_log.raise_floor(connection, [(row["xid"], row["id"]) for row in gone])
    return Removed(0, len(gone))


async def remove_loose_signals(
    database: Database, lease: Lease, *, older_than: float, rows: int = ROWS
) -> int:
    """Remove signals that became no order and came more than `older_than` seconds ago; how many.
    Raises leases.Lost."""
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        gone = await connection.fetch(
            "DELETE FROM signals WHERE (account, id) IN (SELECT account, id FROM signals"
            " WHERE order_id IS NULL"
            " AND received_at < clock_timestamp() - make_interval(secs => $1)"
            " ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
            older_than,
            rows,
        )
    return len(gone)


async def remove_loose_keys(
    database: Database, lease: Lease, *, older_than: float, rows: int = ROWS
) -> int:
    """Remove idempotency keys of orders that are gone; how many. Raises leases.Lost."""
    async with database.transaction() as connection:
        await leases.hold(connection, lease)
        gone = await connection.fetch(
            "DELETE FROM idempotency WHERE (key_id, key) IN (SELECT k.key_id, k.key"
            " FROM idempotency k WHERE k.created_at < clock_timestamp()"
            " - make_interval(secs => $1) AND NOT EXISTS (SELECT 1 FROM orders o"
            " WHERE o.account = k.account AND o.id = k.order_id) LIMIT $2) RETURNING 1",
            older_than,
            rows,
        )
    return len(gone)


async def known_executions(
    connection: Connection, *, account: str, broker: str, execution_ids: Collection[str]
) -> set[str]:
    """Those that were booked for an order that has been removed since: told again, they are
    neither booked nor strange."""
    found = await connection.fetch(
        "SELECT execution_id FROM archived_fills"
        " WHERE account = $1 AND broker = $2 AND execution_id = ANY($3)",
        account,
        broker,
        list(execution_ids),
    )
    return {row["execution_id"] for row in found}


async def archived(
    connection: Connection, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """(account, client_order_id) → order id, for names of orders that were removed."""
    if not names:
        return {}
    found = await connection.fetch(
        "SELECT account, client_order_id, id FROM archived_orders"
        " JOIN unnest($1::text[], $2::text[]) AS n(account, client_order_id)"
        " USING (account, client_order_id)",
        [account for account, _ in names],
        [name for _, name in names],
    )
    return {(row["account"], row["client_order_id"]): row["id"] for row in found}


async def _locked(connection: Connection, finished: Sequence[Finished]) -> list[Finished]:
    lowest: Cursor = await event_log.lowest(connection)
    rows = await connection.fetch(
        "SELECT o.account, o.id, o.version FROM orders o"
        " JOIN unnest($1::text[], $2::uuid[], $3::bigint[]) AS f(account, id, version)"
        f" ON o.account = f.account AND o.id = f.id AND o.version = f.version AND o.{DONE}"
        f" WHERE {READ} AND {UNNEEDED}"
        " ORDER BY o.account, o.id FOR UPDATE OF o SKIP LOCKED",
        [f.account for f in finished],
        [f.id for f in finished],
        [f.version for f in finished],
        str(lowest.xid),
        lowest.id,
    )
    return [Finished(row["account"], row["id"], row["version"]) for row in rows]


Keys = tuple[list[str], list[str]]

_MINE = "unnest($1::text[], $2::uuid[]) AS mine(account, key)"


async def _carry_positions(connection: Connection, keys: Keys) -> None:
    await connection.execute(
        "INSERT INTO archived_positions AS p (account, symbol, qty, cash, fees, turned, fills)"
        " SELECT f.account, f.symbol, sum(CASE f.side WHEN 'buy' THEN f.qty ELSE -f.qty END),"
        " sum(CASE f.side WHEN 'buy' THEN -f.qty ELSE f.qty END * f.price), sum(f.fee),"
        f" sum(f.qty), count(*) FROM fills f JOIN {_MINE}"
        " ON f.account = mine.account AND f.order_id = mine.key"
        " WHERE f.busted_at IS NULL GROUP BY 1, 2"
        " ON CONFLICT (account, symbol) DO UPDATE SET qty = p.qty + excluded.qty,"
        " cash = p.cash + excluded.cash, fees = p.fees + excluded.fees,"
        " turned = p.turned + excluded.turned, fills = p.fills + excluded.fills",
        *keys,
    )


async def _leave_tombstones(connection: Connection, keys: Keys) -> None:
    await connection.execute(
        "INSERT INTO archived_orders (account, client_order_id, id, key, body_sha256, status)"
        " SELECT o.account, o.client_order_id, o.id, o.key, o.body_sha256, o.status"
        f" FROM orders o JOIN {_MINE} ON o.account = mine.account AND o.id = mine.key",
        *keys,
    )
    await connection.execute(
        "INSERT INTO archived_fills (account, broker, execution_id, child_id)"
        f" SELECT f.account, f.broker, f.execution_id, f.child_id FROM fills f JOIN {_MINE}"
        " ON f.account = mine.account AND f.order_id = mine.key",
        *keys,
    )
    # A signal's own row is its tombstone: the same signal gets the same decision for ever.
    await connection.execute(
        "UPDATE signals s SET body = '{}', verdicts = '[]'"
        f" FROM orders o JOIN {_MINE} ON o.account = mine.account AND o.id = mine.key"
        " WHERE s.account = o.account AND s.id = o.signal_id",
        *keys,
    )


async def _delete(
    connection: Connection, table: str, column: str, keys: Keys, returning: str = "1"
) -> Sequence[Any]:
    rows: Sequence[Any] = await connection.fetch(
        f"DELETE FROM {table} t USING {_MINE}"
        f" WHERE t.account = mine.account AND t.{column} = mine.key RETURNING {returning}",
        *keys,
    )
    return rows
