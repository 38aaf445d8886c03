"""What an audit says: for every check how much was looked at, and the rows at fault."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LISTED = 100
"""At most so many rows at fault are listed for one check; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row at fault: which, and what is wrong with it."""

    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, checked. `faults` may be the first of `total`; `note` says what is no fault."""

    name: str
    invariants: str
    checked: int
    faults: tuple[Fault, ...] = ()
    total: int = 0
    note: str | None = None

    @property
    def ok(self) -> bool:
        return self.total == 0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "invariants": self.invariants,
            "checked": self.checked,
            "total_faults": self.total,
            "faults": [{"subject": f.subject, "detail": f.detail} for f in self.faults],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All checks. `notes` say what could not be looked at."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def failed(self) -> Iterator[Check]:
        return (check for check in self.checks if not check.ok)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "checks": [check.as_json() for check in self.checks],
            "notes": list(self.notes),
        }


def checked(
    name: str, invariants: str, count: int, faults: list[Fault], note: str | None = None
) -> Check:
    """A check whose faults were collected one by one."""
    return Check(name, invariants, count, tuple(faults[:LISTED]), len(faults), note)
