"""What follows from silence: which children are proven absent, which need an operator.

Machine time, monotonic. A new owner starts to count anew: never too early, at most later.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.closing import awaited, overdue
from app.domain.execution import Child, Execution
from app.domain.fact import BecameUnknown, ChildRejected, Fact, Moved
from app.domain.instant import SECOND, Instant, Micros
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.recovery import (
    NO_EVIDENCE,
    Absent,
    AskAgain,
    Means,
    NeedsOperator,
    NeedsPosition,
    Silence,
    apart,
    judge,
)
from app.failpoints import reach
from app.ports import Capabilities

SILENT = (ChildStatus.INTENT, ChildStatus.UNKNOWN)

VANISHED = f"{NO_EVIDENCE}.child_vanished"
"""Acknowledged once, and now the broker does not know it."""


@dataclass(slots=True)
class _Missed:
    first: Micros
    last: Micros
    times: int = 1


@dataclass(slots=True)
class Finding:
    """Facts by order, in what order they happened; and whether positions must be compared."""

    facts: dict[str, list[Fact]] = field(default_factory=dict)
    needs_positions: bool = False
    ask_after: Micros | None = None

    def add(self, order_id: str, fact: Fact) -> None:
        self.facts.setdefault(order_id, []).append(fact)


class Evidence:
    """One desk's memory of who has been silent for how long."""

    def __init__(
        self, capabilities: Capabilities, *, quarantine: Micros, operator_after: Micros
    ) -> None:
        known = capabilities
        waits = known.quarantine or (0 if known.deadline is not None else quarantine)
        self._means = Means(known.id_scope, known.lookup, known.lookup_lag, waits, known.deadline)
        self._operator_after = operator_after
        self._missed: dict[str, _Missed] = {}
        self._awaited: dict[str, Micros] = {}

    def silent_for(self, child_id: str) -> Micros | None:
        """How long the broker has not known a child; None: it was not missed."""
        missed = self._missed.get(child_id)
        return None if missed is None else _now() - missed.first

    def heard_of(self, child_ids: Iterable[str]) -> None:
        """The broker knows these after all."""
        for child_id in child_ids:
            self._missed.pop(child_id, None)

    def missing(
        self,
        children: Sequence[tuple[Execution, Child]],
        agree: Mapping[str, bool] | None,
        now: Instant,
    ) -> Finding:
        """Children that a look-up did not find, one look-up more. `agree`: by symbol, whether
        the broker's positions are what our fills make of them (None: not compared)."""
        finding = Finding()
        for execution, child in children:
            missed = self._note(child.id)
            if child.status in SILENT:
                self._judge(execution, child, missed, agree, now, finding)
            elif _now() - missed.first >= self._operator_after:
                _call_operator(execution, VANISHED, now, finding)
        return finding

    def overdue(self, executions: Iterable[Execution], now: Instant) -> Finding:
        """Orders that have waited too long for the broker's word about a child."""
        finding, at = Finding(), _now()
        seen: dict[str, Micros] = {}
        for execution in executions:
            for child in awaited(execution):
                seen[child.id] = self._awaited.get(child.id, at)
            waited = {c.id: at - seen[c.id] for c in awaited(execution)}
            move = overdue(execution, waited, self._operator_after)
            if move is not None:
                finding.add(execution.task.order_id, Moved(now, move.status, move.reason))
        self._awaited = seen
        return finding

    def _note(self, child_id: str) -> _Missed:
        at = _now()
        missed = self._missed.setdefault(child_id, _Missed(at, at))
        if at - missed.last >= apart(self._means):
            missed.last, missed.times = at, missed.times + 1
        return missed

    def _judge(
        self,
        execution: Execution,
        child: Child,
        missed: _Missed,
        agree: Mapping[str, bool] | None,
        now: Instant,
        finding: Finding,
    ) -> None:
        order_id, since = execution.task.order_id, _now() - missed.first
        if child.status is ChildStatus.INTENT:
            finding.add(order_id, BecameUnknown(now, child.id, "found_without_answer"))
        # When it was intended is not known to a new owner: since it was first missed, at least.
        symbol = execution.task.instrument.symbol
        agrees = None if agree is None else agree.get(symbol, True)
        silence = Silence(since, since, missed.times, agrees)
        match judge(self._means, silence, operator_after=self._operator_after):
            case Absent():
                finding.add(order_id, ChildRejected(now, child.id, "absent", absent=True))
                reach("absence.concluded")
                self._missed.pop(child.id, None)
            case AskAgain(after=after):
                finding.ask_after = min(finding.ask_after or after, after)
            case NeedsPosition():
                finding.needs_positions = True
            case NeedsOperator(reason=reason):
                _call_operator(execution, reason, now, finding)


def _call_operator(execution: Execution, reason: str, now: Instant, finding: Finding) -> None:
    if execution.status is not OrderStatus.NEEDS_OPERATOR:
        order_id = execution.task.order_id
        already = any(isinstance(fact, Moved) for fact in finding.facts.get(order_id, ()))
        if not already:
            finding.add(order_id, Moved(now, OrderStatus.NEEDS_OPERATOR, reason))


def _now() -> Micros:
    return int(time.monotonic() * SECOND)
