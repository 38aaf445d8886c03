"""What a campaign has asked, what it was answered, and what was wrong with it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SHOWN_MAX = 3
"""Of the same fault, so many curl lines are kept."""


@dataclass
class Fault:
    """One kind of wrong answer of one route."""

    route: str
    kind: str
    detail: str
    count: int = 0
    curl: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """Ends when `most` requests are out. `stage` is the name of who asks."""

    most: int
    stage: str = "schemathesis"
    say: Callable[[str], None] = print
    """Hears of the first fault of a kind at once: a long campaign may be ended before it tells."""
    asked: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    stages: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Answers by stage and status."""
    seconds: Counter[str] = field(default_factory=Counter)
    """What the server took for each route."""
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return self.asked >= self.most

    def took(self, label: str, status: int, seconds: float) -> None:
        self.asked += 1
        self.seconds[label] += seconds
        self.answers[label, status] += 1
        self.stages[self.stage, status] += 1

    def wrong(self, label: str, kind: str, detail: str, curl: str) -> None:
        fault = self.faults.setdefault((label, kind), Fault(label, kind, detail))
        fault.count += 1
        if len(fault.curl) < SHOWN_MAX:
            fault.curl.append(curl)
        if fault.count == 1:
            self.say(f"{self.stage}: {label}: {kind}\n    {detail}\n    {curl[:3000]}")

    def add(self, other: "Tally") -> None:
        """Count what another stage has found as well."""
        self.most += other.most
        self.asked += other.asked
        self.answers.update(other.answers)
        self.stages.update(other.stages)
        self.seconds.update(other.seconds)
        for place, fault in other.faults.items():
            mine = self.faults.setdefault(place, Fault(fault.route, fault.kind, fault.detail))
            mine.count += fault.count
            mine.curl = [*mine.curl, *fault.curl][:SHOWN_MAX]

    def answered(self, label: str, status: int) -> int:
        return self.answers[label, status]

    def by_status(self, stage: str | None = None) -> dict[int, int]:
        """How often each status was answered, to one stage or to all."""
        found: Counter[int] = Counter()
        for (asking, status), count in self.stages.items():
            if stage in (None, asking):
                found[status] += count
        return dict(sorted(found.items()))

    def never(self, labels: Sequence[str]) -> list[str]:
        """Routes that never let a request in: what lies behind them was not tried."""
        let_in = {label for (label, status), n in self.answers.items() if n and status < 400}
        return sorted(set(labels) - let_in)
