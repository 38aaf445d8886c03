"""The paper venue's own ledger, read as a stranger would: plain SQL on its file.

The ledger is marked before the database is read and read after it. What it held at the mark must
be in the database by then, since intents are committed before they are sent; and whatever the
database knows of the venue must be in the ledger that is read later.
"""

import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VenueOrder:
    number: int
    client_id: str
    venue_id: str
    symbol: str
    side: str
    qty: Decimal
    limit_price: Decimal
    received_at: int
    ended: str | None


@dataclass(frozen=True, slots=True)
class VenueExecution:
    seq: int
    execution_id: str
    client_id: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    at: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the ledger had come."""

    number: int
    seq: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """All of one account's ledger, and the mark it was read from. `repeats` are (id, count)."""

    account: str
    mark: Mark
    orders: tuple[VenueOrder, ...]
    executions: tuple[VenueExecution, ...]
    repeats: tuple[tuple[str, int], ...]


class LedgerFile:
    """A ledger on disk, opened for reading only. Raises sqlite3.Error, FileNotFoundError."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise FileNotFoundError(f"there is no ledger at {path}")
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)

    def mark(self) -> Mark:
        (number,) = self._db.execute("SELECT coalesce(max(number), 0) FROM orders").fetchone()
        (seq,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM executions").fetchone()
        return Mark(number, seq)

    def read(self, mark: Mark) -> Ledger:
        """All of it, at one moment."""
        with self._db:
            self._db.execute("BEGIN")
            (account,) = self._db.execute("SELECT account FROM venue").fetchone()
            return Ledger(account, mark, self._orders(), self._executions(), self._repeats())

    def close(self) -> None:
        self._db.close()

    def _orders(self) -> tuple[VenueOrder, ...]:
        rows = self._db.execute(
            "SELECT o.number, o.client_id, o.venue_id, o.symbol, o.side, o.qty, o.limit_price,"
            " o.received_at, (SELECT max(x.status) FROM outcomes x"
            " WHERE x.order_number = o.number) FROM orders o ORDER BY o.number"
        )
        return tuple(
            VenueOrder(n, c, v, sym, side, Decimal(q), Decimal(p), at, ended)
            for n, c, v, sym, side, q, p, at, ended in rows
        )

    def _executions(self) -> tuple[VenueExecution, ...]:
        rows = self._db.execute(
            "SELECT e.seq, e.execution_id, o.client_id, o.symbol, o.side, e.qty, e.price, e.fee,"
            " e.at FROM executions e JOIN orders o ON o.number = e.order_number ORDER BY e.seq"
        )
        return tuple(
            VenueExecution(s, x, c, sym, side, Decimal(q), Decimal(p), Decimal(f), at)
            for s, x, c, sym, side, q, p, f, at in rows
        )

    def _repeats(self) -> tuple[tuple[str, int], ...]:
        rows = self._db.execute(
            "SELECT client_id, count(*) FROM (SELECT client_id FROM orders UNION ALL"
            " SELECT client_id FROM repeats) GROUP BY client_id HAVING count(*) > 1"
        )
        return tuple(rows)
