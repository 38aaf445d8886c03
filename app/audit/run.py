"""One audit: a single snapshot of the database, between two looks at the venue's ledgers."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from app.audit import identity, positions, quantities, sending, state, venue
from app.audit.ledger import Ledger, LedgerFile
from app.audit.records import Check, Report
from app.audit.replay import replay
from app.audit.rule import Connection, check
from app.audit.venue import Books

RULES = (
    *quantities.RULES,
    *identity.RULES,
    *sending.RULES,
    *state.RULES,
    *positions.RULES,
)
GRACE = 5.0
_POLL = 0.1


class Unreadable(Exception):
    """What is there cannot be audited: another schema, no right to read."""


async def audit(url: str, ledgers: Sequence[Path], *, grace: float = GRACE) -> Report:
    """Check everything. Writes nothing, and may run beside a working server.

    An execution that is not booked yet is in flight if its order is open and it is booked within
    `grace` seconds from now; else it is lost. Raises OSError where the database cannot be
    reached, FileNotFoundError, sqlite3.Error or Unreadable.
    """
    files = [LedgerFile(path) for path in ledgers]
    try:
        connection = await _connect(url)
        try:
            return await _audit(connection, files, grace)
        finally:
            await connection.close()
    except asyncpg.PostgresError as error:
        raise Unreadable(str(error)) from error
    finally:
        for file in files:
            file.close()


async def reachable(url: str) -> bool:
    """Whether a database answers there."""
    try:
        connection = await _connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


async def _connect(url: str) -> Connection:
    connection: Connection = await asyncpg.connect(url, timeout=10)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )
    return connection


async def _audit(connection: Connection, files: Sequence[LedgerFile], grace: float) -> Report:
    marks = [file.mark() for file in files]
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        checks = [await check(connection, rule) for rule in RULES]
        checks += await replay(connection)
        ledgers = [file.read(mark) for file, mark in zip(files, marks, strict=True)]
        books = [await venue.read_books(connection, ledger.account) for ledger in ledgers]
        notes = await _notes(connection, [ledger.account for ledger in ledgers])
    for ledger, book in zip(ledgers, books, strict=True):
        landed = await _landed(connection, ledger, book, grace)
        checks += venue.compare(ledger, book, in_flight=landed)
    return Report(tuple(_merged(checks)), tuple(notes))


async def _notes(connection: Connection, accounts: Sequence[str]) -> list[str]:
    rows = await connection.fetch(
        "SELECT DISTINCT broker, account FROM orders WHERE NOT (broker = $1 AND account = ANY($2))"
        " ORDER BY 1, 2",
        venue.BROKER,
        accounts,
    )
    notes = [f"no ledger to compare with: {r['account']} at {r['broker']}" for r in rows]
    for table, where, says in (
        ("quarantine", "true", "executions in quarantine"),
        ("orders", "status = 'needs_operator'", "orders need an operator"),
        ("children", "status = 'unknown'", "children whose state is unknown"),
    ):
        count = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
        notes += [f"{count} {says}"] if count else []
    return notes


async def _landed(
    connection: Connection, ledger: Ledger, books: Books, grace: float
) -> frozenset[str]:
    """Which of the unbooked executions are booked while we wait."""
    waiting = {
        e.execution_id for e in venue.unbooked(ledger, books) if venue.may_be_in_flight(e, books)
    }
    landed: set[str] = set()
    deadline = monotonic() + grace
    while waiting - landed:
        rows: Sequence[Any] = await connection.fetch(
            "SELECT execution_id FROM fills WHERE account = $1 AND broker = $2"
            " AND execution_id = ANY($3)",
            ledger.account,
            venue.BROKER,
            sorted(waiting),
        )
        landed = {row["execution_id"] for row in rows}
        if monotonic() >= deadline:
            break
        await asyncio.sleep(_POLL)
    return frozenset(landed)


def _merged(checks: Sequence[Check]) -> list[Check]:
    """The same check of several ledgers as one."""
    merged: dict[str, Check] = {}
    for one in checks:
        other = merged.get(one.name)
        merged[one.name] = _sum(other, one) if other else one
    return list(merged.values())


def _sum(a: Check, b: Check) -> Check:
    notes = [note for note in (a.note, b.note) if note]
    return Check(
        name=a.name,
        invariants=a.invariants,
        checked=a.checked + b.checked,
        faults=(*a.faults, *b.faults),
        total=a.total + b.total,
        note=", ".join(notes) or None,
    )
