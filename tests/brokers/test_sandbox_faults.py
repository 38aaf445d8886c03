"""Every fault of the adversarial venue happens, and the sandbox broker tells it honestly:
definite is only what is, everything else is unclear, and no fill that counts goes untold."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from app.domain.lifecycle import ChildStatus
from app.ports import BustReport, ExecutionReport
from tests.brokers.market import SYMBOL, at, ticket
from tests.brokers.promises import acknowledged, fills, known, refused, states
from tests.brokers.rehearsal import Rehearsal, ioc, net, unclear
from tests.venue.behaviour import FAULTS

Scenario = Callable[[Rehearsal, str], Awaitable[None]]


async def not_taken(house: Rehearsal, fault: str) -> None:
    """Unclear although nothing came of it: only looking for it, often enough, tells."""
    broker = house.open(fault)
    assert unclear(await broker.submit(ioc("a")))
    assert house.count("orders") == 0
    assert await broker.lookup("a") is None
    assert await house.hear(broker) == []


async def taken(house: Rehearsal, fault: str) -> None:
    """Unclear, from outside the same, and it was taken and filled."""
    broker = house.open(fault)
    assert unclear(await broker.submit(ioc("a")))
    assert house.count("orders", "code = 'accepted'") == 1
    assert net(await house.hear(broker)) == 100
    assert (await known(broker, "a")).status is ChildStatus.FILLED


async def lingers(house: Rehearsal, fault: str) -> None:
    """We gave up on it and it is not there; then it comes (this id after 3/4 of the time)."""
    broker = house.open(fault, quarantine_ms=2_000)
    assert unclear(await broker.submit(ioc("linger-39")))
    assert await broker.lookup("linger-39") is None
    await house.until(lambda: house.count("orders") == 1)
    ((received, drawn),) = house.venue.rows(
        "SELECT o.received_at, f.at FROM orders o JOIN faults f ON f.account = o.account"
        " WHERE o.account = ?",
        house.account,
    )
    assert received - drawn <= broker.capabilities.quarantine
    assert net(await house.hear(broker)) == 100


async def refuses(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    assert await refused(broker, ioc("a")) == "insufficient_funds"
    assert (await known(broker, "a")).status is ChildStatus.REJECTED
    assert await house.hear(broker) == []


async def late_answer(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    sent = await acknowledged(broker, ioc("a"))
    # The fills were already there when the answer came.
    (told,) = await broker.reports(0)
    assert isinstance(told, ExecutionReport)
    assert sent.at < told.at


async def told_twice(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    told = await house.hear(broker)
    assert len(told) > len(set(told))
    assert net(told) == 100
    assert house.count("executions") == 1


async def refused_later(house: Rehearsal, fault: str) -> None:
    """An acknowledgement is no promise."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    end = ("a", ChildStatus.REJECTED, 0, "insufficient_funds")
    assert states(await house.hear(broker)) == [end]
    assert states([await known(broker, "a")]) == [end]


async def canceled_unasked(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ticket("a"))
    assert states(await house.hear(broker))[-1] == ("a", ChildStatus.CANCELED, 0, "venue")
    assert await broker.open_orders() == []


async def ignored_cancel(house: Rehearsal, fault: str) -> None:
    """Without evidence it is open; asking again helps."""
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", at(0))
    assert [s[1] for s in states(await house.hear(broker))] == [ChildStatus.WORKING]
    assert (await known(broker, "a")).status is ChildStatus.WORKING
    house.venue.change(house.account, chances={fault: 0.0})
    await broker.cancel("a", at(0))
    assert [s[1] for s in states(await house.hear(broker))] == [ChildStatus.CANCELED]


async def taken_cancel(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", at(0))
    assert states(await house.hear(broker))[-1] == ("a", ChildStatus.CANCELED, 0, "requested")


async def untold(house: Rehearsal, fault: str) -> None:
    """The stream is alive and silent: only questions find the fill."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert await house.hear(broker) == []
    assert net(await broker.executions(0)) == 100
    assert int((await known(broker, "a")).filled) == 100


async def told_late(house: Rehearsal, fault: str) -> None:
    """Later than it was known, with the time when it happened."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    await house.until(lambda: house.count("executions") == 1)
    assert await broker.reports(0) == []
    (told,) = await house.hear(broker)
    ((happened, streamed),) = house.venue.rows(
        "SELECT e.at, s.at FROM executions e JOIN stream s ON s.account = e.account"
        " WHERE e.account = ?",
        house.account,
    )
    assert told.at == happened < streamed - 50_000


async def told_out_of_order(house: Rehearsal, fault: str) -> None:
    broker = house.open()
    house.venue.change(house.account, chances={fault: 0.5}, partial=0.8, misses=0.0)
    for n in range(8):
        await acknowledged(broker, ticket(f"o{n}", qty=40))
    told = await house.hear(broker)
    moments = [report.at for report in told]
    assert sorted(moments) != moments
    assert net(told) == 320


async def late_fill(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", at(0))
    told = await house.hear(broker)
    assert [s[1] for s in states(told)][-1] is ChildStatus.CANCELED
    assert isinstance(told[-1], ExecutionReport)
    assert 0 < net(told) == (await known(broker, "a")).filled <= 100


async def over_fill(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    told = await house.hear(broker)
    assert 100 < net(told) == (await known(broker, "a")).filled
    assert await broker.positions() == {SYMBOL: net(told)}


async def bust(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    execution, told = await house.hear(broker)
    assert isinstance(told, BustReport)
    assert told.execution_id == execution.execution_id
    assert told.at > execution.at
    # Asked since then, the bust alone is told: the execution was told before.
    assert await broker.executions(told.at) == [told]
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.CANCELED, Decimal(0))
    assert await broker.positions() == {}


async def correction(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    first, instead = await house.hear(broker)
    assert (first.corrects, instead.corrects) == (None, first.execution_id)
    assert (first.qty, first.price) != (instead.qty, instead.price)
    # The correction may be corrected in its turn.
    house.venue.happen(house.account, "correct", "a", execution_id=instead.execution_id)
    (again,) = await house.hear(broker)
    assert again.corrects == instead.execution_id
    told = [first, instead, again]
    assert net(told) == (await known(broker, "a")).filled
    assert await broker.positions() == {SYMBOL: net(told)}


async def cut_stream(house: Rehearsal, fault: str) -> None:
    """While the stream is down it says so, once a second at most; then nothing is missing."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    await house.until(lambda: house.count("faults") >= 2)
    with pytest.raises(ConnectionError):
        await broker.reports(0)
    assert await broker.reports(0) == []
    house.venue.change(house.account, chances={fault: 0.0})
    assert net(await house.hear(broker)) == 100


async def question_unanswered(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    for question in (
        broker.lookup("a"),
        broker.open_orders(),
        broker.executions(0),
        broker.positions(),
    ):
        with pytest.raises(ConnectionError):
            await question


async def question_late(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert (await known(broker, "a")).child_id == "a"


async def omitted(house: Rehearsal, fault: str) -> None:
    """The list leaves it out; asked by its id, it is there."""
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    assert await broker.open_orders() == []
    assert (await known(broker, "a")).status is ChildStatus.WORKING


async def shown_closed(house: Rehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert len(fills(await house.hear(broker))) == 1
    assert [o.status.value for o in await broker.open_orders()] == ["partially_filled"]
    assert (await known(broker, "a")).status is ChildStatus.FILLED


SCENARIOS: dict[str, Scenario] = {
    "cut_before": not_taken,
    "hang_before": not_taken,
    "503_before": not_taken,
    "429_before": not_taken,
    "linger": lingers,
    "refuse": refuses,
    "cut_after": taken,
    "hang_after": taken,
    "503_after": taken,
    "429_after": taken,
    "garbage_after": taken,
    "ack_delay": late_answer,
    "ack_reorder": late_answer,
    "ack_duplicate": told_twice,
    "refuse_later": refused_later,
    "cancel_unasked": canceled_unasked,
    "cancel_ignored": ignored_cancel,
    "cancel_cut": taken_cancel,
    "cancel_delay": taken_cancel,
    "report_drop": untold,
    "report_delay": told_late,
    "report_duplicate": told_twice,
    "report_reorder": told_out_of_order,
    "report_garbage": untold,
    "late_fill": late_fill,
    "over_fill": over_fill,
    "bust": bust,
    "correct": correction,
    "stream_cut": cut_stream,
    "question_cut": question_unanswered,
    "question_503": question_unanswered,
    "question_delay": question_late,
    "list_omits": omitted,
    "list_shows_closed": shown_closed,
}


def test_every_fault_has_its_scenario() -> None:
    assert set(SCENARIOS) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
async def test_fault(rehearsal: Rehearsal, fault: str) -> None:
    await SCENARIOS[fault](rehearsal, fault)
    assert rehearsal.drawn() == {fault}
