"""The table of docs/audit.md: `python -m tests.cli.audit_page` writes the page anew."""

from collections.abc import Iterator
from pathlib import Path

from app.audit import settled, switches
from app.audit.books import Archived, Books
from app.audit.catalog import RULES
from app.audit.findings import Findings
from app.audit.ledger import Ledger
from app.audit.venue import Landed, compare

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
BEGIN, END = "<!-- checks -->\n", "<!-- end of checks -->\n"


def checks() -> Iterator[tuple[str, str, str, str]]:
    """Every check there is: invariants, name, where it looks, how much it weighs."""
    for rule in (*RULES, *switches.rules(logged=True)):
        yield rule.invariants, rule.name, "rows", "warning" if rule.warning else "error"
    for check in Findings().checks():
        yield check.invariants, check.name, "events", "warning" if check.warning else "error"
    nothing = Ledger("", True, 0, 0, (), (), {})
    empty: frozenset[str] = frozenset()
    books = Books({}, {}, empty, empty, empty, Archived(empty, empty, restored=False))
    for check in compare(nothing, books, Landed()):
        yield check.invariants, check.name, "ledger", "warning" if check.warning else "error"
    for rule in settled.RULES:
        yield rule.invariants, rule.name, "rows, `--settled`", "error"


def table() -> str:
    rows = sorted(checks(), key=lambda row: (int(row[0].split()[0][1:]), row[2], row[1]))
    head = "| Invariants | Check | Looks at | Fault |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page() -> str:
    """The page as it stands, with the table as it should be."""
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page())
