"""The ledger of the paper venue: one account, market time."""

import sqlite3
from decimal import Decimal
from typing import ClassVar

from app.audit.ledger import Ledger, VenueExecution, VenueOrder


class PaperLedger:
    TABLES: ClassVar = frozenset({"venue", "orders", "executions", "outcomes", "repeats"})

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._number = self._seq = 0

    def mark(self) -> None:
        self._number = self._top("number", "orders")
        self._seq = self._top("seq", "executions")

    def read(self) -> list[Ledger]:
        with self._db:
            self._db.execute("BEGIN")
            (account,) = self._db.execute("SELECT account FROM venue").fetchone()
            ledger = Ledger(
                account=account,
                machine_time=False,
                number=self._number,
                seq=self._seq,
                orders=self._orders(),
                executions=self._executions(),
                sent=self._sent(),
            )
            return [ledger]

    def close(self) -> None:
        self._db.close()

    def _top(self, column: str, table: str) -> int:
        found = self._db.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()
        return int(found[0])

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

    def _sent(self) -> dict[str, int]:
        rows = self._db.execute(
            "SELECT client_id, count(*) FROM (SELECT client_id FROM orders UNION ALL"
            " SELECT client_id FROM repeats) GROUP BY client_id"
        )
        return dict(rows.fetchall())
