"""What was heard a moment ago: reconciliation hears most of it again, and need not ask."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from app.ports import ExecutionReport, Report
from app.store.journal import Recorded

KEPT = 50_000

Terms = tuple[str, Decimal, Decimal]


class Recent:
    """What this process has booked, in two generations; forgetting costs a look at the journal."""

    def __init__(self) -> None:
        self._young: dict[str, Terms] = {}
        self._old: dict[str, Terms] = {}

    def remember(self, recorded: Iterable[Recorded]) -> None:
        """Committed fills."""
        for result in recorded:
            for fill in result.booked:
                self._young[fill.execution_id] = (fill.child_id, fill.qty, fill.price)
        if len(self._young) > KEPT:
            self._young, self._old = {}, self._young

    def unheard(self, reports: Iterable[Report]) -> Sequence[Report]:
        """All but executions that are booked just as they are told."""
        return [report for report in reports if not self._known(report)]

    def _known(self, report: Report) -> bool:
        if not isinstance(report, ExecutionReport) or report.corrects is not None:
            return False
        name = report.execution_id
        terms = self._young.get(name) or self._old.get(name)
        return terms == (report.child_id, report.qty, report.price)


class Twice:
    """Names that are believed when they are told a second time: what a broker lists may have
    changed while its answer was under way."""

    def __init__(self) -> None:
        self._once: set[str] = set()

    def __len__(self) -> int:
        """How many were told, once or oftener."""
        return len(self._once)

    def told(self, names: Iterable[str]) -> list[str]:
        """Those that were told before."""
        heard = list(names)
        again = [name for name in heard if name in self._once]
        self._once.update(heard)
        return again
