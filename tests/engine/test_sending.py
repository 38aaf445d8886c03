"""Sending: once, only under a safe lease, and every answer is one of three."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from app.domain.fact import BecameUnknown, ChildFact, ChildRejected, Sent
from app.domain.instant import SECOND, Instant
from app.engine.kill_file import KillFile
from app.engine.sending import Sender, fact_of
from app.ports import (
    Acknowledged,
    Capabilities,
    ExecutionReport,
    IdScope,
    OrderReport,
    Outcome,
    Refused,
    Report,
    Ticket,
    Unclear,
    Withheld,
)
from tests.brokers.market import ticket
from tests.domain.tasks import OPEN
from tests.store.seeds import intent

ORDER = "01938f2c-7b1e-7c3a-9d4e-8f1a2b3c4d5e"
HEARD = OPEN + 5 * SECOND


class Line:
    """A broker that answers as told, after as long as told; it only listens otherwise."""

    name = "line"
    capabilities = Capabilities(IdScope.EVER, "all", 0, SECOND)

    def __init__(self, answers: Sequence[Outcome | Exception] = (), hold: bool = False) -> None:
        self.answers = list(answers)
        self.sent: list[Ticket] = []
        self.canceled: list[tuple[str, Instant]] = []
        self.slow: set[str] = set()
        self.open = asyncio.Event()
        if not hold:
            self.open.set()

    async def submit(self, ticket: Ticket) -> Outcome:
        self.sent.append(ticket)
        await self.open.wait()
        await asyncio.sleep(0.02 if ticket.child_id in self.slow else 0)
        answer = self.answers.pop(0) if self.answers else Acknowledged("b1", OPEN)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def cancel(self, child_id: str, at: Instant) -> None:
        self.canceled.append((child_id, at))
        if self.answers and isinstance(self.answers[0], Exception):
            raise self.answers.pop(0)  # type: ignore[misc]

    async def lookup(self, child_id: str) -> OrderReport | None:
        return None

    async def open_orders(self) -> Sequence[OrderReport]:
        return ()

    async def executions(self, since: Instant) -> Sequence[ExecutionReport]:
        return ()

    async def positions(self) -> dict[str, Decimal]:
        return {}

    async def reports(self, now: Instant) -> Sequence[Report]:
        return ()

    def next_at(self, now: Instant) -> Instant | None:
        return None

    async def close(self) -> None:
        return None


class Desk:
    """What a sender is handed: a lease that may run out, and an ear for answers."""

    def __init__(self, line: Line, *, safe: bool = True) -> None:
        self.line, self.safe = line, safe
        self.heard: list[tuple[str, ChildFact]] = []
        self.sender = Sender(line, self.hear, lambda: self.safe, lambda: HEARD, KillFile(None))

    def hear(self, order_id: str, fact: ChildFact) -> None:
        self.heard.append((order_id, fact))

    def send(self, *numbers: int) -> list[str]:
        intents = [intent(ORDER, number, 100) for number in numbers]
        self.sender.send(ORDER, "XYZ", intents)
        return [i.child_id for i in intents]


async def test_a_ticket_is_its_intent() -> None:
    desk = Desk(Line())
    (name,) = desk.send(1)
    await desk.sender.settled()
    told = intent(ORDER, 1, 100)
    assert desk.line.sent == [
        Ticket(
            name,
            "XYZ",
            told.side,
            told.qty,
            told.price,
            told.time_in_force,
            told.purpose,
            told.at,
        )
    ]
    assert desk.heard == [(ORDER, Sent(HEARD, name, "b1"))]


@pytest.mark.parametrize(
    ("outcome", "fact"),
    [
        (Acknowledged("b7", OPEN), Sent(HEARD, "c1", "b7")),
        (Refused("funds", "not enough", OPEN), ChildRejected(HEARD, "c1", "broker.funds")),
        (Withheld("line_busy", "full"), ChildRejected(HEARD, "c1", "not_sent.line_busy")),
        (Unclear("timed out"), BecameUnknown(HEARD, "c1", "timed out")),
    ],
)
def test_an_outcome_is_a_fact_known_from_now_on(outcome: Outcome, fact: ChildFact) -> None:
    assert fact_of(ticket("c1"), outcome, HEARD) == fact


@pytest.mark.parametrize("failure", [RuntimeError("bug"), TimeoutError(), ConnectionError()])
async def test_an_adapter_that_raises_leaves_the_child_unknown(failure: Exception) -> None:
    desk = Desk(Line([failure]))
    first, second = desk.send(1, 2)
    await desk.sender.settled()
    why = f"adapter raised {type(failure).__name__}"
    assert desk.heard == [
        (ORDER, BecameUnknown(HEARD, first, why)),
        (ORDER, Sent(HEARD, second, "b1")),
    ]


async def test_an_old_lease_sends_nothing_and_says_so() -> None:
    """Nothing left the house, and only this house could have sent it: that is proof."""
    desk = Desk(Line(), safe=False)
    names = desk.send(1, 2)
    await desk.sender.settled()
    assert desk.line.sent == []
    not_sent = [ChildRejected(HEARD, name, "not_sent", absent=True) for name in names]
    assert desk.heard == [(ORDER, fact) for fact in not_sent]
    desk.safe = True
    (third,) = desk.send(3)
    await desk.sender.settled()
    assert [t.child_id for t in desk.line.sent] == [third]


async def test_the_lease_is_looked_at_right_before_each_send() -> None:
    desk = Desk(Line())
    desk.send(1)
    # Between the commit and the wire.
    desk.safe = False
    await desk.sender.settled()
    assert desk.line.sent == []


async def test_settled_waits_for_every_answer_and_sends_side_by_side() -> None:
    desk = Desk(Line(hold=True))
    names = desk.send(1, 2, 3)
    settling = asyncio.create_task(desk.sender.settled())
    await asyncio.sleep(0.01)
    assert [t.child_id for t in desk.line.sent] == names
    assert not settling.done()
    # What begins meanwhile is waited for as well.
    late = desk.send(4)
    desk.line.slow.update(late)
    desk.line.open.set()
    await settling
    assert sorted(fact.child_id for _, fact in desk.heard) == sorted(names + late)
    await desk.sender.settled()


async def test_a_cancel_needs_no_lease_and_survives_a_bad_line() -> None:
    desk = Desk(Line([RuntimeError("bug")]), safe=False)
    desk.sender.cancel("c1", OPEN)
    desk.sender.cancel("c2", OPEN + 1)
    await desk.sender.settled()
    assert desk.line.canceled == [("c1", OPEN), ("c2", OPEN + 1)]
    assert desk.heard == []
