"""One audit: a single snapshot of the database, between two looks at the venue's ledgers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic

import asyncpg

from app.audit import settled as at_rest
from app.audit import switches, venue
from app.audit.books import (
    Books,
    booked_names,
    may_be_in_flight,
    read_books,
    unbooked,
    unvoided,
    void_names,
)
from app.audit.catalog import RULES
from app.audit.connecting import connect
from app.audit.ledger import Ledger, Reader
from app.audit.ledger_files import open_ledger
from app.audit.merging import merged
from app.audit.records import Check, Report
from app.audit.replay_parts import replay_beside
from app.audit.rule import Bounds, Connection, Rule, check
from app.audit.summary import compared, notes
from app.audit.venue import Landed

GRACE = 5.0
_POLL = 0.1


class Unreadable(Exception):
    """What is there cannot be audited: another schema, no right to read."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How strictly to look. `grace`: seconds that an execution may take from the venue's ledger
    to the fills. `settled`: nothing may be open or in flight any more."""

    grace: float = GRACE
    settled: bool = False
    bounds: Bounds = field(default_factory=Bounds)


async def audit(url: str, ledgers: Sequence[Path], terms: Terms | None = None) -> Report:
    """Check everything. Writes nothing, and may run beside a working server.

    An execution that is not booked yet is in flight if it is booked within the grace from now;
    else it is lost. Raises OSError where the database cannot be reached, FileNotFoundError,
    sqlite3.Error or Unreadable.
    """
    files = [open_ledger(path) for path in ledgers]
    try:
        connection = await connect(url)
        try:
            return await _audit(connection, url, files, terms or Terms())
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
        connection = await connect(url)
    except (OSError, asyncpg.PostgresError):
        return False
    await connection.close()
    return True


async def _audit(connection: Connection, url: str, files: Sequence[Reader], terms: Terms) -> Report:
    for file in files:
        file.mark()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await terms.bounds.tell(connection)
        logged = await connection.fetchval("SELECT to_regclass('control_log') IS NOT NULL")
        rules = (*RULES, *switches.rules(logged=logged), *(at_rest.RULES if terms.settled else ()))
        checks = await replay_beside(connection, url, partial(_checked, connection, rules))
        ledgers = [ledger for file in files for ledger in file.read()]
        if terms.settled:
            ledgers = [_whole(ledger) for ledger in ledgers]
        books = [await read_books(connection, ledger) for ledger in ledgers]
        counted = await compared(connection, ledgers)
        said = await notes(connection, ledgers)
    for ledger, book in zip(ledgers, books, strict=True):
        landed = await _landed(connection, ledger, book, 0 if terms.settled else terms.grace)
        checks += venue.compare(ledger, book, landed)
    return Report(tuple(merged(checks)), tuple(said), counted)


async def _checked(connection: Connection, rules: Sequence[Rule]) -> list[Check]:
    return [await check(connection, rule) for rule in rules]


def _whole(ledger: Ledger) -> Ledger:
    """The ledger, marked at its end: whatever it holds must be in the books."""
    return replace(
        ledger,
        number=max((order.number for order in ledger.orders), default=0),
        seq=max((execution.seq for execution in ledger.executions), default=0),
        void={name: replace(void, marked=True) for name, void in ledger.void.items()},
    )


async def _landed(connection: Connection, ledger: Ledger, books: Books, grace: float) -> Landed:
    """What of the unbooked is booked while we wait."""
    waiting = [e for e in unbooked(ledger, books) if may_be_in_flight(e, ledger, books)]
    void = frozenset(v.execution_id for v in unvoided(ledger, books))
    landed, deadline = Landed(), monotonic() + grace
    while grace and len(landed.booked) + len(landed.void) < len(waiting) + len(void):
        landed = Landed(
            await booked_names(connection, ledger, waiting),
            void & await void_names(connection, ledger),
        )
        if monotonic() >= deadline:
            break
        await asyncio.sleep(_POLL)
    return landed
