"""The ledger of a venue that lives in machine time, with any number of accounts.

Every order that reached it has a row, refused ones too (`code`); busts and corrections void
executions; an order without an end is open. Where an account's execution ids are unique for a
symbol only, adapters name them `<symbol>:<id>`. Where one child is two orders, `twins` says so.
"""

import sqlite3
from decimal import Decimal
from typing import ClassVar

from app.audit.ledger import Ledger, VenueExecution, VenueOrder, Void
from app.audit.ledger_twins import Twins, twins_of


class MachineLedger:
    TABLES: ClassVar = frozenset({"accounts", "orders", "executions", "busts", "ends", "cancels"})

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._tops: dict[str, int] = {}

    def mark(self) -> None:
        self._tops = {table: self._top(table) for table in ("orders", "executions", "busts")}

    def read(self) -> list[Ledger]:
        with self._db:
            self._db.execute("BEGIN")
            found = self._db.execute("SELECT account, execution_ids FROM accounts ORDER BY 1")
            return [self._account(account, ids == "symbol") for account, ids in found.fetchall()]

    def close(self) -> None:
        self._db.close()

    def _top(self, table: str) -> int:
        found = self._db.execute(f"SELECT coalesce(max(seq), 0) FROM {table}").fetchone()
        return int(found[0])

    def _account(self, account: str, by_symbol: bool) -> Ledger:
        twins = twins_of(self._db, account)
        executions = self._executions(account, by_symbol, twins)
        return Ledger(
            account=account,
            machine_time=True,
            number=self._tops["orders"],
            seq=self._tops["executions"],
            orders=self._orders(account, twins),
            executions=executions,
            sent=self._counts("TRUE", account),
            refused=frozenset(self._counts("code <> 'accepted'", account)),
            void=self._void(account, by_symbol, executions, twins),
            pending=self._pending(account),
        )

    def _orders(self, account: str, twins: Twins) -> tuple[VenueOrder, ...]:
        rows = self._db.execute(
            "SELECT o.seq, o.client_id, o.venue_id, o.symbol, o.side, o.qty, o.limit_price,"
            " o.received_at, x.status, o.send_by IS NOT NULL AND o.received_at > o.send_by"
            " FROM orders o LEFT JOIN ends x ON x.order_seq = o.seq"
            " WHERE o.account = ? AND o.code = 'accepted' ORDER BY o.seq",
            (account,),
        ).fetchall()
        ends = twins.ends((row[0], row[1], row[8]) for row in rows)
        return tuple(
            VenueOrder(
                n, c, v, sym, side, Decimal(q), Decimal(p), at, ends[n], bool(late),
                *(twins.stops[n].price, twins.stops[n].limit) if n in twins.stops else (),
            )
            for n, c, v, sym, side, q, p, at, _, late in rows
            if n not in twins.heads
        )  # fmt: skip

    def _executions(
        self, account: str, by_symbol: bool, twins: Twins
    ) -> tuple[VenueExecution, ...]:
        rows = self._db.execute(
            "SELECT seq, execution_id, client_id, symbol, side, qty, price, fee, at, corrects"
            " FROM executions WHERE account = ? ORDER BY seq",
            (account,),
        )
        return tuple(
            VenueExecution(
                s, _name(x, sym, by_symbol), twins.name(c), sym, side, Decimal(q), Decimal(p),
                Decimal(f), at,
                None if corrects is None else _name(corrects, sym, by_symbol),
            )
            for s, x, c, sym, side, q, p, f, at, corrects in rows
        )  # fmt: skip

    def _void(
        self,
        account: str,
        by_symbol: bool,
        executions: tuple[VenueExecution, ...],
        twins: Twins,
    ) -> dict[str, Void]:
        void = {
            e.corrects: Void(e.corrects, e.client_id, e.seq <= self._tops["executions"])
            for e in executions
            if e.corrects is not None
        }
        rows = self._db.execute(
            "SELECT seq, execution_id, symbol, client_id FROM busts WHERE account = ?", (account,)
        )
        for seq, execution_id, symbol, client_id in rows:
            name = _name(execution_id, symbol, by_symbol)
            void[name] = Void(name, twins.name(client_id), seq <= self._tops["busts"])
        return void

    def _counts(self, condition: str, account: str) -> dict[str, int]:
        rows = self._db.execute(
            f"SELECT client_id, count(*) FROM orders WHERE account = ? AND {condition}"
            " GROUP BY client_id",
            (account,),
        )
        return dict(rows.fetchall())

    def _pending(self, account: str) -> int:
        try:
            found = self._db.execute("SELECT count(*) FROM agenda WHERE account = ?", (account,))
        except sqlite3.OperationalError:
            return 0  # A venue without an agenda.
        return int(found.fetchone()[0])


def _name(execution_id: str, symbol: str, by_symbol: bool) -> str:
    return f"{symbol}:{execution_id}" if by_symbol else execution_id
