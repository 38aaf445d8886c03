"""`slipstream data check`."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.data.shown import show_findings, verdict
from app.cli.data.store import Tapes, tape_store
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson
from app.cli.output import console, print_json

if TYPE_CHECKING:
    from app.tapes.findings import Finding


def check(
    dataset: Annotated[str | None, typer.Argument(help="Only this dataset.")] = None,
    symbol: Annotated[str | None, typer.Argument(help="Only this symbol of it.")] = None,
    notes: Annotated[bool, typer.Option("--notes/--no-notes", help="Show notes too.")] = True,
    tapes: Tapes = None,
    as_json: AsJson = False,
) -> int:
    """Look through stored tapes: what was wrong with their rows and is with their days.

    Ends with 1 where something is an error. Files that are not imported yet are checked by
    `slipstream data import --dry-run`.
    """
    from app.tapes.findings import Severity

    found = _found(dataset, symbol, tapes)
    bad = any(f.severity is Severity.ERROR for f in found)
    shown = [f for f in found if notes or f.severity is not Severity.NOTE]
    if as_json:
        print_json([f.as_json() for f in shown])
    else:
        show_findings(shown)
        verdict(found)
    return Exit.FAILED if bad else Exit.OK


def _found(dataset: str | None, symbol: str | None, tapes: "Tapes") -> list["Finding"]:
    from app.tapes.check import check_symbol
    from app.tapes.detect_time import Hours
    from app.tapes.errors import TapeError
    from app.wiring import open_calendar

    store, calendar = tape_store(tapes), open_calendar()
    found: list[Finding] = []
    try:
        for name in [d.name for d in store.datasets()] if dataset is None else [dataset]:
            for each in store.symbols(name) if symbol is None else [symbol]:
                stored = store.open(name, each)
                found += check_symbol(stored, Hours(stored.dataset.calendar, calendar))
    except TapeError as wrong:
        raise Failure(Exit.USAGE, str(wrong)) from None
    if not found and not store.datasets():
        console().print(f"Nothing is in {store.root}.")
    return found
