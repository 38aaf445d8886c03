"""Silence proves something as of the moment of the question, not of the answer's arrival."""

from decimal import Decimal

from app.domain.execution import accepted
from app.domain.fact import ChildRejected, Intended, Moved, Purpose, TimeInForce
from app.domain.fold import apply
from app.domain.instant import SECOND, Micros
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.domain.recovery import IdScope, Lookup
from app.engine import reconcile
from app.engine.evidence import Evidence, Finding, Missed
from app.ports import Capabilities, ExecutionReport
from tests.domain.tasks import OPEN, a_task
from tests.engine.test_reconcile import NOW, Knowing

MEANS = Capabilities(
    id_scope=IdScope.OPEN_ONLY,
    lookup=Lookup.ALL,
    lookup_lag=SECOND // 2,
    executions_lookback=SECOND,
    deadline=SECOND,
)
"""Absent is who was missed for 2.5 s (deadline, lag and a margin of 1 s), by two look-ups."""


def evidence() -> Evidence:
    return Evidence(MEANS, quarantine=SECOND, operator_after=60 * SECOND)


def missed(asked_at: Micros) -> Missed:
    execution = apply(accepted(a_task()), Moved(OPEN, OrderStatus.WORKING))
    intent = Intended(
        OPEN, "c1", 1, Side.BUY, Decimal(10), Decimal(10), Purpose.CROSS, TimeInForce.IOC, OPEN
    )
    execution = apply(execution, intent)
    child = execution.child("c1")
    assert child is not None
    return Missed(execution, child, asked_at)


def absent(finding: Finding) -> bool:
    return any(isinstance(f, ChildRejected) for facts in finding.facts.values() for f in facts)


def test_absence_is_proven_by_when_was_asked() -> None:
    asked = evidence()
    assert not absent(asked.missing([missed(10 * SECOND)], None, OPEN))
    assert not absent(asked.missing([missed(11 * SECOND)], None, OPEN))
    assert not absent(asked.missing([missed(12_499_999)], None, OPEN))
    assert absent(asked.missing([missed(12_500_000)], None, OPEN))


def test_an_answer_that_was_long_under_way_is_no_later_question() -> None:
    """Asked 1.05 s apart, and told whenever: the second look-up says nothing of what came after."""
    asked = evidence()
    asked.missing([missed(10 * SECOND)], None, OPEN)
    finding = asked.missing([missed(10 * SECOND + 1_050_000)], None, OPEN)
    assert not absent(finding)
    assert finding.ask_after is not None


def test_a_child_that_is_found_begins_anew() -> None:
    asked = evidence()
    asked.missing([missed(10 * SECOND)], None, OPEN)
    asked.heard_of(["c1"])
    assert not absent(asked.missing([missed(13 * SECOND)], None, OPEN))


async def test_each_child_is_missed_as_of_its_own_look_up() -> None:
    """What is asked after the look-ups, and how long they take, does not make them younger."""

    class Slow(Knowing):
        async def lookup(self, child_id: str) -> None:
            self.asked.append(child_id)
            looked_up.append(reconcile._now())

        async def executions(self, since: int) -> list[ExecutionReport]:
            executed.append(reconcile._now())
            return []

    looked_up: list[Micros] = []
    executed: list[Micros] = []
    found = await reconcile.ask(Slow(), ["a", "b"], since=NOW)  # type: ignore[arg-type]
    assert list(found.missing) == ["a", "b"]
    assert max(found.missing.values()) <= max(looked_up) <= executed[0]
