"""`slipstream audit`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.database import Database, opened
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson
from app.cli.output import console, print_json, print_table
from app.cli.place import data_dir

if TYPE_CHECKING:
    from app.audit import Report

_LEDGERS = "paper*.sqlite3"


def audit(
    ledger: Annotated[
        list[Path] | None,
        typer.Option(
            help="A venue's ledger; may be repeated. Default: the data directory's paper venue."
        ),
    ] = None,
    database: Database = None,
    grace: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds that an execution may take to be booked.",
        ),
    ] = 5.0,
    settled: Annotated[
        bool,
        typer.Option(
            "--settled",
            help="Demand a house at rest: nothing open, nothing in flight, no grace.",
        ),
    ] = False,
    overdue: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds of market time that an order may stay open after its end.",
        ),
    ] = 600.0,
    as_json: AsJson = False,
) -> int:
    """Check the books: sums, identities, moves, events, and every execution at the venue.

    Independent of what it audits: it reads the rows and the ledger and does the sums again.
    Writes nothing; it may run beside a working server. Ends with 1 where it finds a fault;
    warnings are printed.
    """
    ledgers = ledger if ledger else _own_ledger()
    with opened(database) as url:
        report = _read(url, ledgers, grace=grace, settled=settled, overdue=overdue)
    if as_json:
        print_json(report.as_json())
    else:
        show(report)
    return Exit.OK if report.ok else Exit.FAILED


def _own_ledger() -> list[Path]:
    return sorted(path for path in data_dir().glob(_LEDGERS) if path.is_file())


def _read(
    url: str, ledgers: list[Path], *, grace: float, settled: bool, overdue: float
) -> "Report":
    import sqlite3

    from app.audit import Bounds, Terms, Unreadable
    from app.audit import audit as read

    terms = Terms(grace, settled, Bounds(overdue=overdue))
    try:
        return asyncio.run(read(url, ledgers, terms))
    except FileNotFoundError as error:
        raise Failure(Exit.USAGE, str(error)) from None
    except (sqlite3.Error, Unreadable) as error:
        raise Failure(Exit.FAILED, f"cannot be audited: {error}") from None
    except OSError as error:
        raise Failure(Exit.UNREACHABLE, f"cannot reach the database: {error}") from None


def show(report: "Report") -> None:
    """The checks with what they looked at, or the rows at fault."""
    out = console()
    if report.ok:
        rows = [(c.invariants, c.name, f"{c.checked:,}", c.note or "") for c in report.checks]
        print_table(("", "check", "checked", ""), rows, right=("checked",), to=out)
    else:
        faults = [
            (c.invariants, c.name, f.subject, f.detail) for c in report.failed() for f in c.faults
        ]
        print_table(("", "check", "at fault", "what is wrong"), faults, to=out)
    for check in report.warned():
        for fault in check.faults:
            out.print(f"Warning: {check.name} ({check.invariants}): {fault.subject} {fault.detail}")
    for note in report.notes:
        out.print(f"Note: {note}.")
    out.print(verdict(report))


def verdict(report: "Report") -> str:
    """The audit in one line."""
    looked = sum(check.checked for check in report.checks)
    if report.ok:
        return f"The books are right: {len(report.checks)} checks, {looked:,} rows, no fault."
    failed = list(report.failed())
    found = sum(check.total for check in failed)
    return f"{found:,} faults in {len(failed)} of {len(report.checks)} checks."
