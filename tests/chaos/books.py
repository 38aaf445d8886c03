"""The house's books beside the venue's ledger, compared without either's code."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

Named = tuple[str, str]
"""Account, and an id that is unique in it."""


@dataclass(slots=True)
class Books:
    """Rows at fault, by what is wrong with them; empty where all is well."""

    duplicate_children: list[str] = field(default_factory=list)
    lost_fills: list[str] = field(default_factory=list)
    invented_fills: list[str] = field(default_factory=list)
    unknown_to_us: list[str] = field(default_factory=list)
    """Orders at the venue without a child here."""
    wrongly_absent: list[str] = field(default_factory=list)
    """Children given up as absent that the venue took."""
    overbought: list[str] = field(default_factory=list)
    """Orders with more than was asked for, and no late or over-fill of the venue's explains it."""
    not_at_rest: list[str] = field(default_factory=list)
    without_reason: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """Orders that a check of our own has stopped."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why orders need an operator: no fault."""

    @property
    def faults(self) -> dict[str, list[str]]:
        named = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "reasons"}
        return {name: rows for name, rows in named.items() if rows}


@dataclass(frozen=True, slots=True)
class Venue:
    """What the ledger holds. `counting` are executions that are neither void nor replaced."""

    accepted: Mapping[Named, int]
    counting: Mapping[Named, sqlite3.Row]
    late: frozenset[Named]
    """Executions after the end of their order, and what replaced them: the venue's own doing."""
    counts: Mapping[str, int]
    faults: Mapping[str, int]


def read_venue(path: Path) -> Venue:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        named = {account for account, ids in db.execute(_IDS) if ids == "symbol"}

        def name(row: sqlite3.Row, column: str = "execution_id") -> Named:
            prefix = f"{row['symbol']}:" if row["account"] in named else ""
            return row["account"], f"{prefix}{row[column]}"

        executions = {name(row): row for row in db.execute(_EXECUTIONS)}
        replaced = {name(row, "corrects") for row in executions.values() if row["corrects"]}
        void = replaced | {name(row) for row in db.execute("SELECT * FROM busts")}
        late: set[Named] = set()
        for key, row in executions.items():
            if row["corrects"] is None and row["after_end"]:
                late.add(key)
            if row["corrects"] is not None and name(row, "corrects") in late:
                late.add(key)
        return Venue(
            accepted={(a, c): n for a, c, n in db.execute(_ACCEPTED)},
            counting={key: row for key, row in executions.items() if key not in void},
            late=frozenset(late),
            counts={table: _count(db, table) for table in ("orders", "executions", "busts")},
            faults=Counter(dict(db.execute("SELECT kind, count(*) FROM faults GROUP BY kind"))),
        )


async def compare(url: str, venue: Venue) -> Books:
    """Read the database and put it beside the ledger."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            fills = await connection.fetch(
                "SELECT account, execution_id FROM fills WHERE busted_at IS NULL"
            )
            quarantined = await connection.fetch("SELECT account, execution_id FROM quarantine")
            children = await connection.fetch("SELECT account, id, order_id FROM children")
            given_up = await connection.fetch(
                "SELECT DISTINCT account, data->>'child_id' AS id FROM events"
                " WHERE type = 'child.rejected' AND data->>'absent' = 'true'"
            )
            orders = await connection.fetch("SELECT account, id, qty, status, reason FROM orders")
    finally:
        await connection.close()
    books = Books()
    booked = {(row["account"], row["execution_id"]) for row in fills}
    aside = {(row["account"], row["execution_id"]) for row in quarantined}
    books.lost_fills = _texts(set(venue.counting) - booked - aside)
    books.invented_fills = _texts(booked - set(venue.counting))
    books.duplicate_children = _texts(key for key, times in venue.accepted.items() if times > 1)
    books.unknown_to_us = _texts(set(venue.accepted) - {(c["account"], c["id"]) for c in children})
    # From the events: a child that fills after all is not called rejected any more.
    absent = {(row["account"], row["id"]) for row in given_up}
    books.wrongly_absent = _texts(absent & set(venue.accepted))
    _see_orders(books, venue, orders, children)
    return books


def _see_orders(books: Books, venue: Venue, orders: Iterable[Any], children: Iterable[Any]) -> None:
    parent = {(row["account"], row["id"]): row["order_id"] for row in children}
    held: dict[Any, Decimal] = defaultdict(Decimal)
    for key, execution in venue.counting.items():
        if key not in venue.late:
            held[parent.get((execution["account"], execution["client_id"]))] += Decimal(
                execution["qty"]
            )
    for row in orders:
        name = f"{row['account']}/{row['id']}"
        if held[row["id"]] > row["qty"]:
            books.overbought.append(f"{name}: {held[row['id']]} of {row['qty']}")
        see_status(books, name, row)


def see_status(books: Books, name: str, row: Any) -> None:
    """Whether an order is over, or with an operator for a reason."""
    if row["status"] == "needs_operator":
        books.reasons[row["reason"] or ""] += 1
        if not row["reason"]:
            books.without_reason.append(name)
        elif not row["reason"].startswith("no_evidence."):
            books.stopped.append(f"{name}: {row['reason']}")
    elif row["status"] not in OVER:
        books.not_at_rest.append(f"{name}: {row['status']}")


OVER = ("filled", "canceled", "expired", "rejected")
_IDS = "SELECT account, execution_ids FROM accounts"
_ACCEPTED = "SELECT account, client_id, count(*) FROM orders WHERE code = 'accepted' GROUP BY 1, 2"
_EXECUTIONS = (
    "SELECT x.*, e.at IS NOT NULL AND x.at > e.at AS after_end FROM executions x"
    " LEFT JOIN ends e ON e.order_seq = x.order_seq ORDER BY x.seq"
)


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _texts(keys: Iterable[Named]) -> list[str]:
    return sorted("/".join(key) for key in keys)


def rows_at_fault(faults: Mapping[str, list[str]]) -> str:
    """For a human: the first of each."""
    return json.dumps({name: rows[:20] for name, rows in faults.items()}, indent=2)
