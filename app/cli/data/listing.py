"""`slipstream data list`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.data.store import Tapes, tape_store
from app.cli.exits import Exit, Failure
from app.cli.options import AsJson
from app.cli.output import console, print_json, print_table

if TYPE_CHECKING:
    from app.tapes.store import Stored


def list_(
    dataset: Annotated[str | None, typer.Argument(help="Only this dataset.")] = None,
    tapes: Tapes = None,
    as_json: AsJson = False,
) -> None:
    """What is in the tape store."""
    from app.tapes.errors import TapeError

    store = tape_store(tapes)
    try:
        names = [d.name for d in store.datasets()] if dataset is None else [dataset]
        found = [store.open(name, symbol) for name in names for symbol in store.symbols(name)]
    except TapeError as wrong:
        raise Failure(Exit.USAGE, str(wrong)) from None
    rows = [row(stored) for stored in found]
    if as_json:
        print_json(rows)
    elif rows:
        columns = (
            "dataset", "symbol", "kind", "sessions", "first", "last", "a day", "quotes",
            "closing_cross", "adjusted", "coverage", "vendor",
        )  # fmt: skip
        print_table(columns, [[r[c] for c in columns] for r in rows], right=("sessions", "a day"))
    else:
        console().print(f"Nothing is in {store.root}: see `slipstream data import --help`.")


def row(stored: "Stored") -> dict[str, Any]:
    """A stored symbol in one line; `a day` is the mean volume of its sessions."""
    known, count = stored.manifest, len(stored.entries)
    units = sum(entry.volume for entry in stored.entries)
    length = stored.dataset.bar_seconds
    return {
        "dataset": stored.dataset.name,
        "symbol": stored.symbol,
        "kind": f"bars {length} s" if stored.dataset.kind == "bars" else str(stored.dataset.kind),
        "sessions": count,
        "first": stored.days[0] if count else None,
        "last": stored.days[-1] if count else None,
        "a day": f"{units / known.size_scale / max(count, 1):,.0f}",
        "quotes": known.quotes,
        "closing_cross": known.closing_cross
        + (f" {known.closing_share:.1%}" if known.closing_share is not None else ""),
        "adjusted": known.adjusted,
        "coverage": known.coverage,
        "vendor": stored.dataset.vendor,
    }
