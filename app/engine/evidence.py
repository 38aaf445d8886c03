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
from app.engine.desk_rules import DeskRules
from app.failpoints import reach
from app.ports import Capabilities

SILENT = (ChildStatus.INTENT, ChildStatus.UNKNOWN)

VANISHED = f"{NO_EVIDENCE}.child_vanished"
"""Acknowledged once, and now the broker does not know it."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A live child that a look-up did not find, and the moment just before it was asked for."""

    execution: Execution
    child: Child
    asked_at: Micros


@dataclass(slots=True)
class _Silent:
    first: Micros
    last: Micros
    counted: Micros
    times: int = 1

    @property
    def long(self) -> Micros:
        """Between the first question and the last: what an answer is worth, however long it took
        to come and to be read."""
        return self.last - self.first


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
        self._missed: dict[str, _Silent] = {}
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
        self, children: Sequence[Missed], agree: Mapping[str, bool] | None, now: Instant
    ) -> Finding:
        """Children that a look-up did not find, one look-up more. `agree`: by symbol, whether
        the broker's positions are what our fills make of them (None: not compared)."""
        finding = Finding()
        for one in children:
            silent = self._note(one.child.id, one.asked_at)
            if one.child.status in SILENT:
                self._judge(one.execution, one.child, silent, agree, now, finding)
            elif silent.long >= self._operator_after:
                _call_operator(one.execution, VANISHED, now, finding)
        return finding

    def overdue(self, executions: Iterable[Execution], now: Instant) -> Finding:
        """Orders that have waited too long for the broker's word about a child."""
        finding, at = Finding(), _now()
        seen: dict[str, Micros] = {}
        for execution in executions:
            waiting = awaited(execution, now)
            for child in waiting:
                seen[child.id] = self._awaited.get(child.id, at)
            waited = {c.id: at - seen[c.id] for c in waiting}
            move = overdue(execution, waited, self._operator_after)
            if move is not None:
                finding.add(execution.task.order_id, Moved(now, move.status, move.reason))
        self._awaited = seen
        return finding

    def _note(self, child_id: str, asked_at: Micros) -> _Silent:
        silent = self._missed.setdefault(child_id, _Silent(asked_at, asked_at, asked_at))
        silent.last = asked_at
        if asked_at - silent.counted >= apart(self._means):
            silent.counted, silent.times = asked_at, silent.times + 1
        return silent

    def _judge(
        self,
        execution: Execution,
        child: Child,
        silent: _Silent,
        agree: Mapping[str, bool] | None,
        now: Instant,
        finding: Finding,
    ) -> None:
        order_id = execution.task.order_id
        if child.status is ChildStatus.INTENT:
            finding.add(order_id, BecameUnknown(now, child.id, "found_without_answer"))
        # When it was intended is not known to a new owner: since it was first missed, at least.
        symbol = execution.task.instrument.symbol
        agrees = None if agree is None else agree.get(symbol, True)
        silence = Silence(silent.long, silent.long, silent.times, agrees)
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


def evidence_for(capabilities: Capabilities, rules: DeskRules) -> Evidence:
    """How a desk waits for evidence at a broker of these capabilities."""
    return Evidence(
        capabilities,
        quarantine=int(rules.quarantine_seconds * SECOND),
        operator_after=int(rules.closing_seconds * SECOND),
    )
