"""Each paper account has a ledger of its own, and keeps it whoever is named first."""

from pathlib import Path

from app.brokers.paper.home import ledger_path
from app.brokers.paper.ledger import Ledger


def opened(folder: Path, account: str, *, first: bool) -> str:
    path = ledger_path(folder, account, first=first)
    Ledger(path, account).close()
    return path.name


def test_the_first_account_has_the_plain_name(tmp_path: Path) -> None:
    assert opened(tmp_path, "main", first=True) == "paper.sqlite3"
    assert opened(tmp_path, "alpha", first=False) == "paper-alpha.sqlite3"
    assert opened(tmp_path, "main", first=True) == "paper.sqlite3"


def test_an_account_keeps_its_ledger_when_another_is_named_first(tmp_path: Path) -> None:
    assert opened(tmp_path, "main", first=True) == "paper.sqlite3"
    assert opened(tmp_path, "alpha", first=False) == "paper-alpha.sqlite3"
    assert opened(tmp_path, "alpha", first=True) == "paper-alpha.sqlite3"
    assert opened(tmp_path, "main", first=False) == "paper.sqlite3"
    assert opened(tmp_path, "beta", first=True) == "paper-beta.sqlite3"
