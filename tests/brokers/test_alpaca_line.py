"""The line to Alpaca: cut, frozen, limited and full; and a stream that was away."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.lifecycle import ChildStatus
from app.ports import ExecutionReport, Unclear, Withheld
from tests.brokers.alpaca_rehearsal import AlpacaRehearsal
from tests.brokers.market import ticket
from tests.brokers.promises import acknowledged, known, states, withheld
from tests.brokers.rehearsal import ioc, net, unclear
from tests.venue.running import running_venue


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[AlpacaRehearsal]:
    """A venue of our own, to be killed."""
    with running_venue(tmp_path) as venue:
        house = AlpacaRehearsal(venue)
        yield house
        await house.close()


async def test_a_lost_line_is_no_answer_until_it_is_left_alone(house: AlpacaRehearsal) -> None:
    broker = house.open()
    await acknowledged(broker, ioc("a"))
    await house.hear(broker)
    house.venue.kill()
    await broker.cancel("a", 0)
    for question in (
        broker.lookup("a"),
        broker.open_orders(),
        broker.executions(0),
        broker.positions(),
    ):
        with pytest.raises(ConnectionError):
            await question
    for n in range(5):
        assert unclear(await broker.submit(ioc(f"b{n}")))
    # Five in a row were lost: what is not sent now was, for certain, not sent.
    assert await withheld(broker, ioc("c")) == "line_broken"
    assert broker.connections["orders"] == "open"
    assert broker.connections["updates"] in ("closed", "open")
    house.venue.start()
    await asyncio.sleep(1.1)
    await acknowledged(broker, ioc("d"))
    assert broker.connections["orders"] == "closed"


async def test_what_happened_while_updates_were_away_is_asked_for(house: AlpacaRehearsal) -> None:
    broker = house.open(rest_ms=(100, 200))
    sent = [await acknowledged(broker, ticket(f"a{n}")) for n in range(5)]
    await house.listening(broker)
    house.venue.kill()
    await house.until(lambda: broker._stream.away is not None)
    await asyncio.sleep(1.0)
    told = list(await broker.reports(0))
    with pytest.raises(ConnectionError, match="trade updates are down"):
        await broker.reports(0)
    # Once a second is enough.
    assert await broker.reports(0) == []
    house.venue.start()
    await house.until(lambda: house.count("ends") == 5)
    told += await house.hear_something(broker)
    assert net(told) == 500
    assert {r.broker_order_id for r in told if isinstance(r, ExecutionReport)} == {
        s.broker_order_id for s in sent
    }


async def test_what_ended_while_updates_were_away_is_asked_for(house: AlpacaRehearsal) -> None:
    """Nobody lists an order that is over: each that was open is looked up."""
    broker = house.open(misses=1.0, rest_ms=(100, 200))
    await acknowledged(broker, ticket("a"))
    await house.hear(broker)
    house.venue.change(house.account, chances={"report_drop": 1.0})
    house.venue.happen(house.account, "cancel", "a")
    house.venue.kill()
    house.venue.start()
    told = states(await house.hear_something(broker))
    assert told[-1][:2] == ("a", ChildStatus.CANCELED)


async def test_a_cancel_that_comes_too_late_brings_the_evidence(alpaca: AlpacaRehearsal) -> None:
    """Alpaca refuses it, since the order is over: that nobody was told is found out by it."""
    broker = alpaca.open(misses=1.0)
    await acknowledged(broker, ticket("a"))
    await alpaca.hear(broker)
    alpaca.venue.change(alpaca.account, chances={"report_drop": 1.0})
    alpaca.venue.happen(alpaca.account, "cancel", "a")
    assert await alpaca.hear(broker) == []
    await broker.cancel("a", 0)
    assert states(await alpaca.hear(broker)) == [("a", ChildStatus.CANCELED, 0, None)]


async def test_updates_of_one_second_ago_are_not_a_gap(alpaca: AlpacaRehearsal) -> None:
    """Every reconnect looks back: what was told before comes again, and is counted once."""
    broker = alpaca.open()
    await acknowledged(broker, ioc("a"))
    assert net(await alpaca.hear(broker)) == 100
    broker._stream.doubt()
    again = await alpaca.hear_something(broker)
    assert {r.execution_id for r in again} == {r.execution_id for r in await broker.executions(0)}


async def test_a_frozen_venue_may_take_what_was_given_up(house: AlpacaRehearsal) -> None:
    broker = house.open()
    await acknowledged(broker, ioc("a"))
    assert house.venue.process is not None
    os.kill(house.venue.process.pid, signal.SIGSTOP)
    try:
        assert "no answer" in unclear(await broker.submit(ioc("b")))
        with pytest.raises(ConnectionError):
            await broker.lookup("b")
    finally:
        os.kill(house.venue.process.pid, signal.SIGCONT)
    await house.until(lambda: house.count("orders") == 2)
    assert (await known(broker, "b")).child_id == "b"


async def test_a_cancel_never_waits_behind_submits(alpaca: AlpacaRehearsal) -> None:
    alpaca.open(misses=1.0)
    broker = alpaca.crash(submit_timeout_ms=5_000, connections=4)
    await acknowledged(broker, ticket("a"))
    alpaca.venue.change(alpaca.account, chances={"hang_after": 1.0})
    stuck = [asyncio.create_task(broker.submit(ticket(f"b{n}"))) for n in range(12)]
    await alpaca.until(lambda: alpaca.count("orders") == 5)
    begun = time.monotonic()
    await broker.cancel("a", 0)
    assert time.monotonic() - begun < 4, "a fifth of what hangs"
    assert alpaca.count("ends") == 1
    outcomes = await asyncio.gather(*stuck)
    # Four hang; the others found no connection in time, and that is certain.
    assert sum(isinstance(outcome, Unclear) for outcome in outcomes) == 4
    assert {o.code for o in outcomes if isinstance(o, Withheld)} == {"line_busy"}
    assert alpaca.count("orders") == 5


async def test_cancels_go_out_when_orders_may_not(alpaca: AlpacaRehearsal) -> None:
    """Ten requests a minute are kept for cancels; orders stop before, for certain unsent."""
    alpaca.open(misses=1.0)
    broker = alpaca.crash(requests_per_minute=60, submit_timeout_ms=100)
    begun = time.monotonic()
    outcomes = [await broker.submit(ticket(f"a{n}")) for n in range(15)]
    # On a busy machine an answer may come too late for us; the order is there all the same.
    taken = sum(not isinstance(outcome, Withheld) for outcome in outcomes)
    assert 8 <= taken <= 12 + (time.monotonic() - begun)
    assert {o.code for o in outcomes if isinstance(o, Withheld)} == {"rate_limit_reached"}
    await alpaca.until(lambda: alpaca.count("orders") == taken)
    await broker.cancel("a0", 0)
    await broker.cancel("a1", 0)
    assert alpaca.count("ends") == 2


async def test_the_limit_of_the_answers_is_kept(alpaca: AlpacaRehearsal) -> None:
    """We believe in more than there is, until the first answer; no 429 ever comes."""
    alpaca.open(misses=1.0, requests_per_minute=40)
    broker = alpaca.crash(requests_per_minute=60_000, submit_timeout_ms=100)
    outcomes = [await broker.submit(ticket(f"a{n}")) for n in range(40)]
    assert not any(isinstance(outcome, Unclear) for outcome in outcomes)
    assert 0 < alpaca.count("orders") < 20


async def test_a_429_is_unclear_and_everything_waits(alpaca: AlpacaRehearsal) -> None:
    broker = alpaca.open("429_after")
    assert "429" in unclear(await broker.submit(ioc("a")))
    assert alpaca.count("orders", "code = 'accepted'") == 1
    alpaca.venue.change(alpaca.account, chances={"429_after": 0.0})
    begun = time.monotonic()
    assert (await known(broker, "a")).child_id == "a"
    assert time.monotonic() - begun > 0.5


async def test_ids_that_differ_are_told_by_the_list_alone(alpaca: AlpacaRehearsal) -> None:
    """Were the stream's ids not the list's, an execution would be counted twice."""
    broker = alpaca.open(activity_ids="own", partial=0.7)
    for n in range(6):
        await acknowledged(broker, ticket(f"a{n}", qty=40))
    told = list(await alpaca.hear(broker))
    await alpaca.until(lambda: alpaca.count("ends") == 6)
    told += await alpaca.hear(broker)
    listed = await broker.executions(0)
    assert net(told) == net(listed) == Decimal(240)
    assert {r.execution_id for r in told if isinstance(r, ExecutionReport)} == {
        r.execution_id for r in listed if isinstance(r, ExecutionReport)
    }
