"""What is wrong, or worth knowing, in market data: named, counted, with an example."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class Done(StrEnum):
    """What the importer does about it."""

    DROPPED = "dropped"
    KEPT = "kept"
    ORDERED = "put in order"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of fault on one day (`None`: not of a day), `count` times, one of them shown."""

    severity: Severity
    name: str
    symbol: str
    day: str | None
    count: int
    example: str
    done: Done

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


SEVERITIES: Mapping[str, tuple[Severity, Done]] = {
    # Rows.
    "unreadable": (Severity.ERROR, Done.DROPPED),
    "negative_volume": (Severity.ERROR, Done.DROPPED),
    "no_price": (Severity.ERROR, Done.DROPPED),
    "no_size": (Severity.WARNING, Done.DROPPED),
    "price_outside_bar": (Severity.ERROR, Done.DROPPED),
    "average_outside_bar": (Severity.NOTE, Done.KEPT),
    "absurd_volume": (Severity.ERROR, Done.DROPPED),
    "volume_spike": (Severity.WARNING, Done.KEPT),
    "zero_volume_move": (Severity.WARNING, Done.DROPPED),
    "zero_volume": (Severity.NOTE, Done.DROPPED),
    "duplicate_time": (Severity.ERROR, Done.DROPPED),
    "time_backwards": (Severity.WARNING, Done.ORDERED),
    "crossed_quotes": (Severity.WARNING, Done.DROPPED),
    "locked_quotes": (Severity.NOTE, Done.KEPT),
    "one_sided_quotes": (Severity.NOTE, Done.DROPPED),
    "suspicious": (Severity.NOTE, Done.DROPPED),
    "not_market": (Severity.NOTE, Done.DROPPED),
    "off_market": (Severity.NOTE, Done.DROPPED),
    "no_quotes": (Severity.NOTE, Done.KEPT),
    "file_refused": (Severity.ERROR, Done.REFUSED),
    # Sessions.
    "gap": (Severity.WARNING, Done.KEPT),
    "half_missing": (Severity.ERROR, Done.KEPT),
    "missing_session": (Severity.WARNING, Done.KEPT),
    "outside_sessions": (Severity.NOTE, Done.KEPT),
    "closed_day": (Severity.WARNING, Done.DROPPED),
    "half_day": (Severity.NOTE, Done.KEPT),
    "shifted": (Severity.ERROR, Done.REFUSED),
    "stamped_at_end": (Severity.ERROR, Done.REFUSED),
    "stamped_at_start": (Severity.ERROR, Done.REFUSED),
    "split": (Severity.NOTE, Done.KEPT),
    "looks_split": (Severity.WARNING, Done.KEPT),
    # The store.
    "damaged": (Severity.ERROR, Done.KEPT),
}
"""How bad each finding is, and what is done about it where nobody says otherwise."""


def finding(name: str, symbol: str, day: str | None, count: int, example: str) -> Finding:
    severity, done = SEVERITIES[name]
    return Finding(severity, name, symbol, day, count, example, done)


def from_json(raw: Mapping[str, Any]) -> Finding:
    values = {**raw, "severity": Severity(raw["severity"]), "done": Done(raw["done"])}
    return Finding(**values)


_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """The worst first, then by name, symbol and day."""
    return sorted(found, key=lambda f: (_ORDER[f.severity], f.name, f.symbol, f.day or ""))


def refusing(found: Iterable[Finding]) -> list[Finding]:
    """Those for which a symbol is not imported."""
    return [f for f in found if f.done is Done.REFUSED]
