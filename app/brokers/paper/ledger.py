"""The venue's memory: an append-only SQLite file that outlives any process.

Calls are synchronous on purpose: nothing else of this process can come in between. A transaction
survives the end of every process at once, and a power cut from the next checkpoint on: waiting
for the disk at each would hold up the worker that this venue lives in (0.2 to 4 ms a child), and
what a power cut takes back here is paper.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import assert_never

from app.brokers.paper.rows import (
    ENDED,
    EXECUTION,
    OPEN,
    ORDER,
    Row,
    ended_from,
    execution_from,
    order_from,
    text,
)
from app.brokers.paper.schema import SCHEMA
from app.domain.instant import Instant
from app.domain.quantity import ZERO, Side
from app.domain.venue.records import (
    CancelRequest,
    Ended,
    Execution,
    Happening,
    Liquidity,
    Order,
    Rested,
)

EXECUTIONS = (
    f"SELECT {ORDER}, {EXECUTION} FROM executions e JOIN orders o ON o.number = e.order_number"
)
ENDINGS = f"SELECT {ORDER}, {ENDED} FROM outcomes x JOIN orders o ON o.number = x.order_number"


class Ledger:
    """One connection to one ledger file; others may read and write it at the same time."""

    def __init__(self, path: Path, account: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._version = -1
        self._db = sqlite3.connect(path, timeout=0.5, isolation_level=None)
        try:
            owner = self._prepare(account)
        except sqlite3.Error as error:
            self._db.close()
            raise ValueError(f"{path} cannot be used as a ledger: {error}") from error
        if owner != account:
            self._db.close()
            raise ValueError(f"{path} is the ledger of account {owner}, not of {account}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it durable at the end, or nothing of it. Only one at a time, in any process."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def changed_elsewhere(self) -> bool:
        """Whether another connection wrote since the last call; true the first time."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        before, self._version = self._version, int(version)
        return before != self._version

    def add_order(self, order: Order) -> None:
        self._insert(
            "orders",
            order.number,
            order.client_id,
            order.venue_id,
            order.symbol,
            order.side.value,
            text(order.qty),
            text(order.limit),
            order.time_in_force.value,
            order.received_at,
            order.arrives_at,
            order.expires_at,
        )

    def add_cancel(self, c: CancelRequest) -> None:
        self._insert("cancels", c.number, c.client_id, c.received_at, c.arrives_at)

    def add_repeat(self, number: int, client_id: str, at: Instant) -> None:
        """Somebody sent a client id again: kept for the auditor, without any effect."""
        self._insert("repeats", number, client_id, at)

    def add(self, event: Happening) -> None:
        seq, order, at = event.seq, event.order.number, event.at
        match event:
            case Execution():
                amounts = text(event.qty), text(event.price), text(event.fee)
                kind, shown_at = event.liquidity.value, event.shown_at
                key = seq, event.execution_id, order
                self._insert("executions", *key, *amounts, kind, at, shown_at)
            case Rested():
                self._insert("rested", seq, order, text(event.filled), at)
            case Ended():
                what = event.status.value, event.reason, text(event.filled)
                self._insert("outcomes", seq, order, *what, at)
            case _:
                assert_never(event)

    def next_number(self) -> int:
        """The number of the next thing the venue is told."""
        return 1 + self._highest("number", "orders", "cancels", "repeats")

    def next_seq(self) -> int:
        """The number of the next thing that happens."""
        return 1 + self._highest("seq", "executions", "rested", "outcomes")

    def latest_told(self) -> Instant | None:
        """When the venue was last told something."""
        return self._highest("received_at", "orders", "cancels", "repeats") or None

    def latest_happening(self) -> Instant | None:
        return self._highest("at", "executions", "rested", "outcomes") or None

    def order(self, client_id: str) -> Order | None:
        row = self._row(f"SELECT {ORDER} FROM orders o WHERE o.client_id = ?", client_id)
        return order_from(row) if row else None

    def open_orders(self) -> list[Order]:
        """Orders that have no outcome yet, as they came; some may still be on their way."""
        return [
            order_from(row)
            for row in self._db.execute(
                f"SELECT {ORDER} FROM orders o WHERE {OPEN} ORDER BY o.number"
            )
        ]

    def open_cancels(self) -> list[CancelRequest]:
        """Cancels for orders that have no outcome yet."""
        query = (
            "SELECT c.number, c.client_id, c.received_at, c.arrives_at"
            f" FROM cancels c JOIN orders o ON o.client_id = c.client_id WHERE {OPEN}"
        )
        return [CancelRequest(*row) for row in self._db.execute(query)]

    def rested(self, order: Order) -> Rested | None:
        row = self._row("SELECT seq, filled, at FROM rested WHERE order_number = ?", order.number)
        return Rested(row[0], order, Decimal(row[1]), row[2]) if row else None

    def ended(self, order: Order) -> Ended | None:
        row = self._row(f"{ENDINGS} WHERE o.number = ?", order.number)
        return ended_from(row) if row else None

    def executions_of(self, order: Order) -> list[Execution]:
        return self._executions("e.order_number = ? ORDER BY e.seq", order.number)

    def executions_since(self, since: Instant, beyond: int, at_most: int) -> list[Execution]:
        """The first of them, by time and place; of the moment `since` those after that place."""
        return self._executions(
            "(e.at, e.seq) > (?, ?) ORDER BY e.at, e.seq LIMIT ?", since, beyond, at_most
        )

    def made_in(self, symbol: str, after: Instant) -> list[Execution]:
        """What resting orders of a symbol filled after a moment, in the order of time."""
        maker = Liquidity.MAKER.value
        return self._executions(
            "e.at > ? AND o.symbol = ? AND e.liquidity = ? ORDER BY e.at, e.seq",
            after,
            symbol,
            maker,
        )

    def rested_open(self) -> dict[int, Rested]:
        """How orders without an outcome came into the book, by the order's number."""
        rows = self._db.execute(
            f"SELECT {ORDER}, r.seq, r.filled, r.at FROM rested r"
            f" JOIN orders o ON o.number = r.order_number WHERE {OPEN}"
        )
        found = (Rested(row[-3], order_from(row), Decimal(row[-2]), row[-1]) for row in rows)
        return {rested.order.number: rested for rested in found}

    def executions_open(self) -> dict[int, list[Execution]]:
        """Executions of orders without an outcome, by the order's number."""
        found: dict[int, list[Execution]] = {}
        for execution in self._executions(f"{OPEN} ORDER BY e.seq"):
            found.setdefault(execution.order.number, []).append(execution)
        return found

    def executions_beyond(self, seq: int) -> list[Execution]:
        return self._executions("e.seq > ? ORDER BY e.seq", seq)

    def traded_beyond(self, seq: int, at_most: int) -> list[tuple[int, str, Decimal]]:
        """The first executions after that place: where each stands, its symbol, and its quantity,
        sold below zero."""
        rows = self._db.execute(
            "SELECT e.seq, o.symbol, o.side, e.qty FROM executions e"
            " JOIN orders o ON o.number = e.order_number WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
            (seq, at_most),
        )
        return [(at, symbol, Side(side).sign * Decimal(qty)) for at, symbol, side, qty in rows]

    def taken(self, symbol: str, side: Side, shown_at: Instant) -> Decimal:
        """What orders of `side` took from the size displayed since `shown_at`."""
        rows = self._db.execute(
            "SELECT e.qty FROM executions e JOIN orders o ON o.number = e.order_number"
            " WHERE e.shown_at = ? AND o.symbol = ? AND o.side = ?",
            (shown_at, symbol, side.value),
        )
        return sum((Decimal(qty) for (qty,) in rows), ZERO)

    def happened_beyond(self, seq: int) -> list[Happening]:
        """Everything that happened after number `seq`, in order."""
        rested = self._db.execute(
            f"SELECT {ORDER}, r.seq, r.filled, r.at FROM rested r"
            " JOIN orders o ON o.number = r.order_number WHERE r.seq > ?",
            (seq,),
        )
        ended = self._db.execute(f"{ENDINGS} WHERE x.seq > ?", (seq,))
        events: list[Happening] = [
            *self.executions_beyond(seq),
            *(Rested(row[-3], order_from(row), Decimal(row[-2]), row[-1]) for row in rested),
            *(ended_from(row) for row in ended),
        ]
        return sorted(events, key=lambda event: event.seq)

    def close(self) -> None:
        self._db.close()

    def _prepare(self, account: str) -> str:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
        self._db.execute(
            "INSERT INTO venue SELECT ? WHERE NOT EXISTS (SELECT 1 FROM venue)", (account,)
        )
        (owner,) = self._db.execute("SELECT account FROM venue").fetchone()
        return str(owner)

    def _executions(self, where: str, *values: object) -> list[Execution]:
        rows = self._db.execute(f"{EXECUTIONS} WHERE {where}", values)
        return [execution_from(row) for row in rows]

    def _insert(self, table: str, *values: object) -> None:
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT INTO {table} VALUES ({marks})", values)

    def _row(self, query: str, value: object) -> Row | None:
        row: Row | None = self._db.execute(query, (value,)).fetchone()
        return row

    def _highest(self, column: str, *tables: str) -> int:
        each = " UNION ALL ".join(f"SELECT max({column}) AS top FROM {t}" for t in tables)
        (top,) = self._db.execute(f"SELECT max(top) FROM ({each})").fetchone()
        return int(top or 0)
