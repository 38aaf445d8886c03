"""What an audit says: for every check how much was looked at, and the rows at fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
    """One rule, checked. `faults` may be the first of `total`; `note` says what is no fault.

    `warning`: what it finds may be innocent, and does not make the audit fail.
    """

    name: str
    invariants: str
    checked: int
    faults: tuple[Fault, ...] = ()
    total: int = 0
    note: str | None = None
    warning: bool = False

    @property
    def ok(self) -> bool:
        return self.total == 0

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "invariants": self.invariants,
            "severity": "warning" if self.warning else "error",
            "checked": self.checked,
            "total_faults": self.total,
            "faults": [{"subject": f.subject, "detail": f.detail} for f in self.faults],
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All checks. `notes` say what could not be looked at; `compared` counts what was."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    compared: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(check.ok or check.warning for check in self.checks)

    def failed(self) -> Iterator[Check]:
        return (check for check in self.checks if not check.ok and not check.warning)

    def warned(self) -> Iterator[Check]:
        return (check for check in self.checks if not check.ok and check.warning)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "errors": sum(check.total for check in self.failed()),
            "warnings": sum(check.total for check in self.warned()),
            "compared": dict(self.compared),
            "faults_by_rule": {check.name: check.total for check in self.checks},
            "faults_by_invariant": self._by_invariant(),
            "checks": [check.as_json() for check in self.checks],
            "notes": list(self.notes),
        }

    def _by_invariant(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for check in self.checks:
            for invariant in check.invariants.split():
                found[invariant] = found.get(invariant, 0) + check.total
        return dict(sorted(found.items(), key=lambda pair: int(pair[0][1:])))


def checked(
    name: str,
    invariants: str,
    count: int,
    faults: list[Fault],
    note: str | None = None,
    *,
    warning: bool = False,
) -> Check:
    """A check whose faults were collected one by one."""
    return Check(name, invariants, count, tuple(faults[:LISTED]), len(faults), note, warning)
