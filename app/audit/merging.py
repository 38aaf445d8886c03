"""The same check of several ledgers as one."""

from collections.abc import Sequence

from app.audit.records import LISTED, Check


def merged(checks: Sequence[Check]) -> list[Check]:
    """One check a name, in the order they first came."""
    found: dict[str, Check] = {}
    for one in checks:
        other = found.get(one.name)
        found[one.name] = _sum(other, one) if other else one
    return list(found.values())


def _sum(a: Check, b: Check) -> Check:
    notes = [note for note in (a.note, b.note) if note]
    return Check(
        name=a.name,
        invariants=a.invariants,
        checked=a.checked + b.checked,
        faults=(*a.faults, *b.faults)[:LISTED],
        total=a.total + b.total,
        note=", ".join(notes) or None,
        warning=a.warning,
    )
