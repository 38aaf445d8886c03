"""What a figure is: how it is measured, what came out round by round, and what it should reach."""

import operator
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

_RELATIONS = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True, slots=True)
class Goal:
    """What a reading should be: at least (≥) or at most (≤) a value."""

    relation: str
    value: float

    def reached(self, value: float) -> bool:
        met: bool = _RELATIONS[self.relation](value, self.value)
        return met

    def __str__(self) -> str:
        return f"{self.relation} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the table: a value a round; the median counts, the spread shows what it is
    worth."""

    name: str
    values: Sequence[float]
    unit: str = ""
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "low": min(self.values),
            "high": max(self.values),
            "rounds": list(self.values),
            "goal": str(self.goal) if self.goal else None,
            "reached": self.goal.reached(self.median) if self.goal else None,
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """What a figure found; `notes` say what one has to know to read it."""

    readings: Sequence[Reading]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """How much is measured. `seconds` is the length of one measurement, `size` a fraction of the
    full number of clients (1: as the figure says)."""

    folder: Path
    rounds: int = 5
    seconds: float = 4.0
    size: float = 1.0

    def many(self, full: int) -> int:
        return max(int(full * self.size), 2)


@dataclass(frozen=True, slots=True)
class Figure:
    """One file in `bench/figures/` with a constant FIGURE."""

    name: str
    title: str
    measure: Callable[[Setting], Coroutine[Any, Any, Measured]]


@dataclass(slots=True)
class Rounds:
    """Values by name, a round at a time."""

    by_name: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self.by_name.setdefault(name, []).append(value)

    def reading(self, label: str, name: str, unit: str = "", goal: Goal | None = None) -> Reading:
        return Reading(label, self.by_name[name], unit, goal)

    def ratio(self, label: str, above: str, below: str, goal: Goal | None = None) -> Reading:
        """Round by round, so that what disturbs the machine for a while disturbs both."""
        pairs = zip(self.by_name[above], self.by_name[below], strict=True)
        return Reading(label, [a / b for a, b in pairs], "×", goal)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie; `values` must not be empty."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
