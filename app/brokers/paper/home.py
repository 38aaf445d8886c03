"""Where the ledger of an account lies: every account has a venue, and so a ledger, of its own."""

import sqlite3
from contextlib import closing
from pathlib import Path


def ledger_path(folder: Path, account: str, *, first: bool) -> Path:
    """The account's ledger in `folder`, or where it is to be made.

    `paper.sqlite3` belongs to whoever made it, which is the `first` account; it stays theirs
    when settings name another first account later.
    """
    own, shared = folder / f"paper-{account}.sqlite3", folder / "paper.sqlite3"
    if own.exists():
        return own
    owner = _owner(shared)
    if owner is None:
        return shared if first else own
    return shared if owner == account else own


def _owner(path: Path) -> str | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)) as ledger:
        try:
            row = ledger.execute("SELECT account FROM venue").fetchone()
        except sqlite3.OperationalError:
            return None  # Somebody is just making it.
    return str(row[0]) if row else None
