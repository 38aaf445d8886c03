"""Opens a ledger of either kind: its tables say which."""

import sqlite3
from pathlib import Path

from app.audit.ledger import Reader
from app.audit.ledger_machine import MachineLedger
from app.audit.ledger_paper import PaperLedger


def open_ledger(path: Path) -> Reader:
    """A ledger on disk, opened for reading only. Raises sqlite3.Error, FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no ledger at {path}")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {name for (name,) in found}
    for kind in (PaperLedger, MachineLedger):
        if tables >= kind.TABLES:
            return kind(db)
    db.close()
    raise sqlite3.DatabaseError(f"{path} is no venue's ledger")
