"""What a campaign came to: a line a round, a table at the end, and JSON beside it."""

import json
import math
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.round import Outcome

BUILD = Path(__file__).parents[2] / "build"
SUMMED = (
    "blows",
    "moments",
    "desks",
    "counts",
    "drawn",
    "did",
    "reasons",
    "decisions",
    "complaints",
    "own_deaths",
)
KILLS = {"chaos": "kills (SIGKILL)", "chain": "kills (SIGKILL) and hits of the line"}
LENGTHS = (
    "takeovers",
    "takeovers_disturbed",
    "database_away",
    "line_back",
    "line_mended",
    "line_back_disturbed",
)
PROMISES = {
    "duplicate_children": "children that the venue took twice",
    "lost_fills": "executions at the venue neither booked nor in quarantine",
    "invented_fills": "fills booked that do not count at the venue",
    "over_reserved": "events with more reserved than asked for",
    "overbought": "orders filled beyond their quantity by our doing",
    "wrongly_absent": "children given up that the venue took",
    "unknown_to_us": "orders at the venue without a child",
    "not_at_rest": "orders neither over nor with an operator",
    "without_reason": "orders that need an operator for no reason",
    "stopped": "orders that a check of our own has stopped",
    "parents": "parents twice, lost, or entered though refused",
    "events": "events lost, twice or out of order at the subscriber",
    "audit": "checks of the audit that failed",
}


class Result:
    """Outcomes of rounds, added up."""

    def __init__(self, seed: int, name: str = "chaos") -> None:
        self.seed, self._name = seed, name
        self.outcomes: list[Outcome] = []
        self._begun = time.monotonic()

    @property
    def ok(self) -> bool:
        return not any(outcome.faults for outcome in self.outcomes)

    @property
    def kills(self) -> int:
        return sum(outcome.kills for outcome in self.outcomes)

    def add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def line(self, number: int, outcome: Outcome) -> str:
        wrong = ", ".join(f"{len(rows)} {name}" for name, rows in outcome.faults.items())
        return (
            f"round {number}: {outcome.kills} kills in {outcome.under_fire:.0f} s,"
            f" rest {outcome.at_rest:.0f} s, {outcome.counts['orders']} orders,"
            f" {outcome.counts['children at the venue']} children,"
            f" {outcome.counts['executions at the venue']} executions: {wrong or 'all is well'}"
        )

    def sums(self) -> dict[str, Counter[str]]:
        return {
            name: sum((getattr(outcome, name) for outcome in self.outcomes), Counter())
            for name in SUMMED
        }

    def lengths(self) -> dict[str, dict[str, dict[str, float]]]:
        """Spreads of seconds, by the length of leases."""
        leases = sorted({outcome.lease for outcome in self.outcomes})
        return {
            f"{name}_seconds": {
                f"lease {lease:g}": _spread(
                    sorted(t for o in self.outcomes if o.lease == lease for t in getattr(o, name))
                )
                for lease in leases
            }
            for name in LENGTHS
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "ok": self.ok,
            "rounds": len(self.outcomes),
            "kills": self.kills,
            "seconds": round(time.monotonic() - self._begun, 1),
            "seconds_under_fire": round(sum(o.under_fire for o in self.outcomes), 1),
            "faults": {
                name: sum(len(o.faults.get(name, ())) for o in self.outcomes) for name in PROMISES
            },
            **self.lengths(),
            **{name: dict(sorted(counted.items())) for name, counted in self.sums().items()},
            "each": [outcome.as_json() for outcome in self.outcomes],
        }

    def write(self) -> Path:
        """Write the JSON file; its place."""
        BUILD.mkdir(exist_ok=True)
        path = BUILD / f"{self._name}-{self.seed}.json"
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n")
        return path

    def table(self) -> str:
        """Markdown."""
        told, sums = self.as_json(), self.sums()
        rows: list[tuple[str, object]] = [
            ("seed", self.seed),
            ("rounds", told["rounds"]),
            (KILLS[self._name], f"{self.kills:,}"),
            ("kills a second under fire, a house", _rate(self.kills, told["seconds_under_fire"])),
            ("kills a second, all in all", _rate(self.kills, told["seconds"])),
            *sorted(sums["blows"].items()),
            *((f"owner of a desk hit: {name}", n) for name, n in sorted(sums["desks"].items())),
            *sums["counts"].items(),
            *((f"needed an operator: {why}", n) for why, n in sorted(sums["reasons"].items())),
            *((f"the operator said {what}", n) for what, n in sorted(sums["decisions"].items())),
            *sorted(sums["own_deaths"].items()),
            ("faults that the venue drew", f"{sums['drawn'].total():,}"),
            *((PROMISES[name], count) for name, count in told["faults"].items()),
            *(
                (f"{name.replace('_', ' ')}, {lease} s (p50, p99, max)", _shown(spread))
                for name, spreads in self.lengths().items()
                for lease, spread in spreads.items()
                if spread
            ),
        ]
        head = ["| | |", "|---|---:|"]
        return "\n".join(head + [f"| {name} | {value} |" for name, value in rows])


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    return {
        "count": len(values),
        "p50": round(statistics.median(values), 2),
        "p99": round(values[math.ceil(0.99 * len(values)) - 1], 2),
        "max": round(values[-1], 2),
    }


def _shown(spread: dict[str, float]) -> str:
    return " / ".join(f"{spread[name]:.2f}" for name in ("p50", "p99", "max")) if spread else "-"


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:.2f}" if seconds else "-"
