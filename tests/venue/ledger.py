"""The venue's memory: one SQLite file, committed before anything is answered or told."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.venue.behaviour import Behaviour, read_behaviour
from tests.venue.schema import SCHEMA

Row = sqlite3.Row

COUNTS = (
    "NOT EXISTS (SELECT 1 FROM busts b WHERE b.account = e.account AND b.symbol = e.symbol"
    " AND b.execution_id = e.execution_id AND b.at <= :t)"
    " AND NOT EXISTS (SELECT 1 FROM executions c WHERE c.account = e.account"
    " AND c.symbol = e.symbol AND c.corrects = e.execution_id AND c.at <= :t)"
)
"""Of the executions `e`, those that count at `:t`."""

STAMPED = (
    ("orders", "received_at"),
    ("executions", "at"),
    ("busts", "at"),
    ("ends", "at"),
    ("cancels", "received_at"),
    ("faults", "at"),
)


class Ledger:
    """The only writer of its file; auditors may read it at any time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # Written to the file before it is answered, so a kill -9 loses nothing; only a power cut
        # could, and a venue whose power is cut is not what is rehearsed here.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        tops = " UNION ALL ".join(f"SELECT max({at}) AS top FROM {table}" for table, at in STAMPED)
        self._last = int(self.value(f"SELECT max(top) FROM ({tops})") or 0)

    def now(self) -> int:
        """Machine time, never twice the same and never back."""
        self._last = max(time.time_ns() // 1_000, self._last + 1)
        return self._last

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self, query: str, **values: Any) -> list[Row]:
        return self._db.execute(query, values).fetchall()

    def row(self, query: str, **values: Any) -> Row | None:
        found: Row | None = self._db.execute(query, values).fetchone()
        return found

    def value(self, query: str, **values: Any) -> Any:
        found = self.row(query, **values)
        return found[0] if found is not None else None

    def add(self, table: str, **values: Any) -> int:
        """Insert a row; its number."""
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        cursor = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def change(self, query: str, **values: Any) -> None:
        self._db.execute(query, values)

    def behave(self, account: str, behaviour: Behaviour) -> None:
        self._db.execute(
            "INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET"
            " behaviour = excluded.behaviour, execution_ids = excluded.execution_ids,"
            " changed_at = excluded.changed_at",
            (account, json.dumps(behaviour.plain()), behaviour.execution_ids, self.now()),
        )

    def behaviours(self) -> dict[str, Behaviour]:
        rows = self.rows("SELECT account, behaviour FROM accounts")
        return {row["account"]: read_behaviour(json.loads(row["behaviour"])) for row in rows}

    def schedule(self, account: str, due: int, kind: str, subject: Any) -> None:
        self.add("agenda", account=account, due=due, kind=kind, subject=json.dumps(subject))

    def due(self, now: int) -> Row | None:
        return self.row("SELECT * FROM agenda WHERE due <= :now ORDER BY due, seq LIMIT 1", now=now)

    def next_due(self) -> int | None:
        due: int | None = self.value("SELECT min(due) FROM agenda")
        return due

    def strike(self, seq: int) -> None:
        self._db.execute("DELETE FROM agenda WHERE seq = ?", (seq,))

    def order_named(self, account: str, venue_id: str) -> Row | None:
        return self.row(
            "SELECT * FROM orders WHERE account = :account AND venue_id = :venue_id",
            account=account,
            venue_id=venue_id,
        )

    def order(self, seq: int) -> Row:
        found = self.row("SELECT * FROM orders WHERE seq = :seq", seq=seq)
        assert found is not None
        return found

    def orders_of(self, account: str, client_id: str) -> list[Row]:
        """Orders of this client id that could be known, the latest first."""
        return self.rows(
            "SELECT * FROM orders WHERE account = :account AND client_id = :client_id"
            " AND code != 'duplicate_id' ORDER BY seq DESC",
            account=account,
            client_id=client_id,
        )

    def taken(self, account: str) -> list[Row]:
        return self.rows(
            "SELECT * FROM orders WHERE account = :account AND code = 'accepted' ORDER BY seq",
            account=account,
        )

    def open_at(self, account: str, t: int) -> list[Row]:
        return self.rows(
            "SELECT * FROM orders o WHERE account = :account AND code = 'accepted'"
            " AND received_at <= :t AND NOT EXISTS"
            " (SELECT 1 FROM ends x WHERE x.order_seq = o.seq AND x.at <= :t) ORDER BY seq",
            account=account,
            t=t,
        )

    def end_of(self, order_seq: int, t: int) -> Row | None:
        return self.row(
            "SELECT * FROM ends WHERE order_seq = :seq AND at <= :t", seq=order_seq, t=t
        )

    def is_open(self, order: Row) -> bool:
        return order["code"] == "accepted" and self.end_of(order["seq"], self._last) is None

    def filled(self, order_seq: int, t: int) -> Decimal:
        """What was filled at `t`, net of busts and corrections."""
        rows = self.rows(
            f"SELECT e.qty FROM executions e WHERE e.order_seq = :seq AND e.at <= :t AND {COUNTS}",
            seq=order_seq,
            t=t,
        )
        return sum((Decimal(row["qty"]) for row in rows), Decimal(0))

    def counting(self, account: str, t: int) -> list[Row]:
        return self.rows(
            f"SELECT * FROM executions e WHERE e.account = :account AND e.at <= :t AND {COUNTS}",
            account=account,
            t=t,
        )
