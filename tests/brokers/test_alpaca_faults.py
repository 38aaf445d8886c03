"""Every fault of the adversarial venue behind Alpaca's face: definite is only what is, everything
else is unclear, and what the stream did not tell is found."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise

import pytest

from app.domain.lifecycle import ChildStatus
from app.ports import BustReport, ExecutionReport
from tests.brokers.alpaca_rehearsal import AlpacaRehearsal
from tests.brokers.market import SYMBOL, at, ticket
from tests.brokers.promises import acknowledged, known, refused, states
from tests.brokers.rehearsal import ioc, net, unclear
from tests.venue.behaviour import FAULTS

Scenario = Callable[[AlpacaRehearsal, str], Awaitable[None]]


async def not_taken(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    assert unclear(await broker.submit(ioc("a")))
    assert house.count("orders") == 0
    assert await broker.lookup("a") is None
    assert await house.hear(broker) == []


async def taken(house: AlpacaRehearsal, fault: str) -> None:
    """Unclear, from outside the same, and it was taken and filled."""
    broker = house.open(fault)
    assert unclear(await broker.submit(ioc("a")))
    assert house.count("orders", "code = 'accepted'") == 1
    assert net(await house.hear_something(broker)) == 100
    assert (await known(broker, "a")).status is ChildStatus.FILLED
    assert "unique" in unclear(await broker.submit(ioc("a")))
    assert house.count("orders", "code = 'accepted'") == 1


async def lingers(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault, quarantine_ms=2_000)
    assert unclear(await broker.submit(ioc("linger-39")))
    assert await broker.lookup("linger-39") is None
    await house.until(lambda: house.count("orders") == 1)
    assert net(await house.hear(broker)) == 100


async def refuses(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    assert await refused(broker, ioc("a")) == "insufficient_funds"
    assert await broker.lookup("a") is None
    assert await house.hear(broker) == []


async def late_answer(house: AlpacaRehearsal, fault: str) -> None:
    """The fill was told before the order was acknowledged."""
    broker = house.open(fault)
    sent = await acknowledged(broker, ioc("a"))
    assert house.count("executions") == 1
    (told,) = await house.hear(broker)
    assert isinstance(told, ExecutionReport)
    assert told.broker_order_id == sent.broker_order_id
    assert sent.at < told.at


async def told_twice(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await believed(house, broker)
    await acknowledged(broker, ioc("a"))
    told = await house.hear_all(broker)
    assert len(told) > len(set(told))
    assert net(told) == 100
    assert house.count("executions") == 2


async def refused_later(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    end = ("a", ChildStatus.REJECTED, 0, None)
    assert states(await house.hear(broker)) == [end]
    assert states([await known(broker, "a")]) == [end]


async def canceled_unasked(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ticket("a"))
    assert states(await house.hear(broker))[-1] == ("a", ChildStatus.CANCELED, 0, None)
    assert await broker.open_orders() == []


async def ignored_cancel(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", at(0))
    assert [s[1] for s in states(await house.hear(broker))] == [ChildStatus.WORKING]
    assert (await known(broker, "a")).status is ChildStatus.WORKING
    house.venue.change(house.account, chances={fault: 0.0})
    await broker.cancel("a", at(0))
    assert [s[1] for s in states(await house.hear(broker))] == [ChildStatus.CANCELED]


async def taken_cancel(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", at(0))
    assert states(await house.hear(broker))[-1] == ("a", ChildStatus.CANCELED, 0, None)


async def untold(house: AlpacaRehearsal, fault: str) -> None:
    """The stream is alive and silent: only questions find the fill."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert await house.hear(broker) == []
    assert net(await broker.executions(0)) == 100
    assert int((await known(broker, "a")).filled) == 100


async def unreadable(house: AlpacaRehearsal, fault: str) -> None:
    """What cannot be read is asked for, unasked."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert net(await house.hear(broker)) == 100
    assert broker._agreement.waiting == []


async def told_late(house: AlpacaRehearsal, fault: str) -> None:
    """The stream tells it later than it was known; the list confirms it."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    await house.until(lambda: house.count("executions") == 1)
    assert await broker.reports(0) == []
    (told,) = await house.hear_something(broker)
    query = "SELECT at FROM executions WHERE account = ?"
    assert house.venue.rows(query, house.account) == [(told.at,)]


async def told_out_of_order(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open()
    await believed(house, broker)
    house.venue.change(house.account, chances={fault: 0.5}, partial=0.8)
    for n in range(8):
        await acknowledged(broker, ticket(f"o{n}", qty=40))
    told = await house.hear(broker)
    moments = [report.at for report in told]
    assert any(later < earlier for earlier, later in pairwise(moments))
    assert net(told) == 320


async def believed(house: AlpacaRehearsal, broker: object) -> None:
    """Let the stream's ids be confirmed once."""
    await acknowledged(broker, ioc("first", qty=1))  # type: ignore[arg-type]
    assert net(await house.hear(broker)) == 1


async def late_fill(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    await broker.cancel("a", at(0))
    told = await house.hear(broker)
    assert ChildStatus.CANCELED in [s[1] for s in states(told)]
    assert isinstance(told[-1], ExecutionReport)
    assert 0 < net(told) == (await known(broker, "a")).filled <= 100


async def over_fill(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    told = await house.hear(broker)
    assert 100 < net(told) == (await known(broker, "a")).filled
    assert await broker.positions() == {SYMBOL: net(told)}


async def bust(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    execution, told = await house.hear(broker)
    assert isinstance(told, BustReport)
    assert told.execution_id == execution.execution_id
    assert told.at > execution.at
    assert [r.execution_id for r in await broker.executions(told.at)] == [told.execution_id]
    found = await known(broker, "a")
    assert (found.status, found.filled) == (ChildStatus.CANCELED, Decimal(0))
    assert await broker.positions() == {}


async def correction(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    first, instead = await house.hear(broker)
    assert (first.corrects, instead.corrects) == (None, first.execution_id)
    assert (first.qty, first.price) != (instead.qty, instead.price)
    house.venue.happen(house.account, "correct", "a", execution_id=instead.execution_id)
    (again,) = await house.hear(broker)
    assert again.corrects == instead.execution_id
    told = [first, instead, again]
    assert net(told) == (await known(broker, "a")).filled
    assert await broker.positions() == {SYMBOL: net(told)}


async def cut_stream(house: AlpacaRehearsal, fault: str) -> None:
    """What was due when the socket was cut is never told; it is asked for once it is back."""
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    await house.until(lambda: broker._stream.away is not None)
    house.venue.change(house.account, chances={fault: 0.0})
    assert net(await house.hear_something(broker)) == 100
    assert broker.connections["updates"] == "closed"


async def question_unanswered(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    for question in (
        broker.lookup("a"),
        broker.open_orders(),
        broker.executions(0),
        broker.positions(),
    ):
        with pytest.raises(ConnectionError):
            await question


async def question_late(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert (await known(broker, "a")).child_id == "a"


async def omitted(house: AlpacaRehearsal, fault: str) -> None:
    """The list leaves it out; asked by its id, it is there."""
    broker = house.open(fault, misses=1.0)
    await acknowledged(broker, ticket("a"))
    assert await broker.open_orders() == []
    assert (await known(broker, "a")).status is ChildStatus.WORKING


async def shown_closed(house: AlpacaRehearsal, fault: str) -> None:
    broker = house.open(fault)
    await acknowledged(broker, ioc("a"))
    assert net(await house.hear(broker)) == 100
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
    "report_garbage": unreadable,
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
async def test_fault(alpaca: AlpacaRehearsal, fault: str) -> None:
    await SCENARIOS[fault](alpaca, fault)
    assert alpaca.drawn() == {fault}
