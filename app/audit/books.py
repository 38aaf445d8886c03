"""What the database knows of one account at one venue."""

from dataclasses import dataclass
from typing import Any

from app.audit.ledger import Ledger, VenueExecution, Void
from app.audit.legal import ORDER_DONE
from app.audit.rule import Connection

PREFIX = "sl"
PAPER = "paper"

Row = Any


@dataclass(frozen=True, slots=True)
class Books:
    """Times are microseconds since 1970. `void` are the executions that count no more, or that
    would not if they were told."""

    children: dict[str, Row]
    fills: dict[str, Row]
    void: frozenset[str]
    quarantined: frozenset[str]
    quarantined_children: frozenset[str]
    archived: "Archived"


@dataclass(frozen=True, slots=True)
class Archived:
    """What is left of orders that were removed after their time, and whether the database was
    put back to an earlier state: then the venue has children that nobody here can know."""

    order_keys: frozenset[str]
    fills: frozenset[str]
    restored: bool

    def knows(self, client_id: str) -> bool:
        """Whether a client id is made of the key of a removed order."""
        return client_id.removeprefix(PREFIX).partition("-")[0] in self.order_keys


async def read_books(connection: Connection, ledger: Ledger) -> Books:
    """The account's books, in the connection's transaction."""
    broker = f"broker {'<>' if ledger.machine_time else '='} '{PAPER}'"
    children = await connection.fetch(
        "SELECT c.account, c.id, c.symbol, c.side, c.qty, c.price, c.status, c.filled, c.adopted,"
        " c.broker_order_id, c.stop_price, c.stop_limit_price, o.status AS order_status,"
        f" {await _intended(connection, ledger)} AS intended_us"
        " FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        f" WHERE c.account = $1 AND o.{broker} ORDER BY c.order_id, c.number",
        ledger.account,
    )
    fills = await connection.fetch(
        "SELECT execution_id, child_id, symbol, side, qty, price, fee, corrects,"
        " (extract(epoch FROM at) * 1000000)::bigint AS at_us"
        f" FROM fills WHERE account = $1 AND {broker} ORDER BY execution_id",
        ledger.account,
    )
    quarantined = await connection.fetch(
        "SELECT execution_id, report ->> 'child_id' AS child_id FROM quarantine"
        f" WHERE account = $1 AND {broker}",
        ledger.account,
    )
    return Books(
        children={row["id"]: row for row in children},
        fills={row["execution_id"]: row for row in fills},
        void=await void_names(connection, ledger),
        quarantined=frozenset(row["execution_id"] for row in quarantined),
        quarantined_children=frozenset(row["child_id"] for row in quarantined),
        archived=await _archived(connection, ledger),
    )


async def _archived(connection: Connection, ledger: Ledger) -> Archived:
    broker = f"broker {'<>' if ledger.machine_time else '='} '{PAPER}'"
    orders = await connection.fetch(
        "SELECT key FROM archived_orders WHERE account = $1", ledger.account
    )
    fills = await connection.fetch(
        f"SELECT execution_id FROM archived_fills WHERE account = $1 AND {broker}", ledger.account
    )
    restored = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM meta WHERE key = 'restored_at')"
    )
    return Archived(
        order_keys=frozenset(row["key"] for row in orders),
        fills=frozenset(row["execution_id"] for row in fills),
        restored=restored,
    )


async def _intended(connection: Connection, ledger: Ledger) -> str:
    """SQL for when an intent was there, by the ledger's clock.

    By the machine's it is when the row was written, a little before its commit; the commit itself
    where the server keeps commit times (`track_commit_timestamp`).
    """
    if not ledger.machine_time:
        return "(extract(epoch FROM c.intended_at) * 1000000)::bigint"
    written = "(extract(epoch FROM c.created_at) * 1000000)::bigint"
    if await connection.fetchval("SHOW track_commit_timestamp") != "on":
        return written
    return (
        "coalesce((SELECT (extract(epoch FROM pg_xact_commit_timestamp(e.xid::xid)) * 1000000)"
        "::bigint FROM events e WHERE (e.account, e.order_id) = (c.account, c.order_id)"
        f" AND e.type = 'child.intended' AND e.data ->> 'child_id' = c.id), {written})"
    )


async def void_names(connection: Connection, ledger: Ledger) -> frozenset[str]:
    """The executions of an account that were declared void, as far as the database was told."""
    broker = f"broker {'<>' if ledger.machine_time else '='} '{PAPER}'"
    rows = await connection.fetch(
        f"SELECT execution_id FROM fills WHERE account = $1 AND {broker}"
        " AND busted_at IS NOT NULL"
        f" UNION SELECT execution_id FROM busts WHERE account = $1 AND {broker}",
        ledger.account,
    )
    return frozenset(row["execution_id"] for row in rows)


async def booked_names(
    connection: Connection, ledger: Ledger, executions: list[VenueExecution]
) -> frozenset[str]:
    """Which of these executions are in the fills by now, or set aside."""
    broker = f"broker {'<>' if ledger.machine_time else '='} '{PAPER}'"
    rows = await connection.fetch(
        f"SELECT execution_id FROM fills WHERE account = $1 AND {broker}"
        " AND execution_id = ANY($2) UNION SELECT execution_id FROM quarantine"
        f" WHERE account = $1 AND {broker} AND execution_id = ANY($2)",
        ledger.account,
        [e.execution_id for e in executions],
    )
    return frozenset(row["execution_id"] for row in rows)


def unbooked(ledger: Ledger, books: Books) -> list[VenueExecution]:
    """Executions of ours that counted at the venue at the mark and that the books do not have."""
    return [
        e
        for e in ledger.executions
        if e.client_id.startswith(PREFIX)
        and e.seq <= ledger.seq
        and e.execution_id not in ledger.void
        and e.execution_id not in books.fills
        and e.execution_id not in books.quarantined
        and e.execution_id not in books.archived.fills
    ]


def unvoided(ledger: Ledger, books: Books) -> list[Void]:
    """Executions of ours that were void at the venue at the mark and that the books still count."""
    return [
        v
        for v in ledger.void.values()
        if v.marked and v.execution_id in books.fills and v.execution_id not in books.void
    ]


def may_be_in_flight(execution: VenueExecution, ledger: Ledger, books: Books) -> bool:
    """Whether an unbooked execution may be on its way: at the paper venue only while its order is
    open, elsewhere always."""
    child = books.children.get(execution.client_id)
    if ledger.machine_time:
        return True
    return child is not None and child["order_status"] not in ORDER_DONE
