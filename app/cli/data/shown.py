"""Statements and findings on a terminal."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from app.cli.output import console, print_table

if TYPE_CHECKING:
    from app.tapes.findings import Finding
    from app.tapes.material import Source
    from app.tapes.stated import Statement


def show_statements(source: "Source") -> None:
    """All that is declared or guessed, and of further symbols what differs from the first."""
    symbols = ", ".join(material.symbol for material in source.materials)
    first = source.materials[0]
    title = f"{symbols}: read as {source.kind} of {source.calendar}"
    # What is found out is found out of each file; the first one's evidence stands for all.
    of = first.symbol if first.statements and len(source.materials) > 1 else None
    said = [*source.statements, *first.statements]
    print_table(("", "read as", "because"), _rows(said, of), title=title)
    known = {(s.what, s.value) for s in first.statements}
    for material in source.materials[1:]:
        other = [s for s in material.statements if (s.what, s.value) not in known]
        if other:
            title = f"{material.symbol}, where it differs"
            print_table(("", "read as", "because"), _rows(other, None), title=title)


def _rows(said: Iterable["Statement"], symbol: str | None) -> list[tuple[str, str, str]]:
    of = f" ({symbol})" if symbol else ""
    return [(s.what, s.value, s.why + of) for s in said]


def show_findings(findings: Sequence["Finding"]) -> None:
    """One line for each kind of finding of a symbol: the days together, one example."""
    from app.tapes.findings import ordered

    groups: dict[tuple[str, str, str, str], list[Finding]] = defaultdict(list)
    for found in ordered(findings):
        groups[found.severity, found.name, found.symbol, found.done].append(found)
    rows = [
        (severity, name, symbol, _days(group), f"{sum(f.count for f in group):,}", done,
         group[0].example)
        for (severity, name, symbol, done), group in groups.items()
    ]  # fmt: skip
    if rows:
        columns = ("", "finding", "symbol", "day", "count", "importer", "for example")
        print_table(columns, rows, right=("count",))


def _days(group: Sequence["Finding"]) -> str | None:
    days = sorted({found.day for found in group if found.day is not None})
    if not days:
        return None
    return days[0] if len(days) == 1 else f"{days[0]} +{len(days) - 1}"


def verdict(findings: Sequence["Finding"]) -> None:
    from app.tapes.importing import totals

    counts = totals(findings)
    told = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items()]
    console().print(f"Findings: {', '.join(told)}." if told else "Nothing is wrong.")
