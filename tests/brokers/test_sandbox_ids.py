"""The four ways in which a venue treats client ids, what it finds, how late, and how often."""

import asyncio
import time

import pytest

from app.domain.instant import MILLISECOND
from app.domain.lifecycle import ChildStatus
from app.ports import Acknowledged, Refused, Unclear
from tests.brokers.market import at, ticket
from tests.brokers.promises import acknowledged, known, refused
from tests.brokers.rehearsal import Rehearsal, ioc, unclear


async def over(house: Rehearsal, orders: int) -> None:
    """Wait until so many orders have ended."""
    await house.until(lambda: house.count("ends") == orders)


def accepted(house: Rehearsal) -> int:
    return house.count("orders", "client_id = 'a' AND code = 'accepted'")


async def test_ever_a_second_order_proves_that_the_first_came_in(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(id_scope="ever")
    await acknowledged(broker, ioc("a"))
    await over(rehearsal, 1)
    assert "duplicate_id" in unclear(await broker.submit(ioc("a")))
    assert accepted(rehearsal) == 1
    assert rehearsal.count("orders", "code = 'duplicate_id'") == 1
    assert (await known(broker, "a")).status is ChildStatus.FILLED


async def test_open_only_the_same_id_trades_twice_once_it_is_over(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(id_scope="open_only", rest_ms=(300, 300))
    await acknowledged(broker, ticket("a"))
    assert "duplicate_id" in unclear(await broker.submit(ticket("a")))
    await over(rehearsal, 1)
    # The danger: whoever sends again has it twice.
    assert isinstance(await broker.submit(ticket("a")), Acknowledged)
    await over(rehearsal, 2)
    assert accepted(rehearsal) == 2
    assert list((await broker.positions()).values()) == [200]


async def test_window_the_same_id_trades_twice_after_it(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(id_scope="window", window_ms=400)
    begun = time.monotonic()
    await acknowledged(broker, ioc("a"))
    await over(rehearsal, 1)
    assert "duplicate_id" in unclear(await broker.submit(ioc("a")))
    await asyncio.sleep(0.45 - (time.monotonic() - begun))
    assert isinstance(await broker.submit(ioc("a")), Acknowledged)
    assert accepted(rehearsal) == 2


async def test_none_the_same_id_always_trades(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(id_scope="none", misses=1.0)
    for _ in range(3):
        await acknowledged(broker, ticket("a"))
    assert accepted(rehearsal) == 3
    assert len({o.broker_order_id for o in await broker.open_orders()}) == 3
    # A cancel by that id is meant for all of them.
    await broker.cancel("a", at(0))
    assert await broker.open_orders() == []


async def test_a_venue_that_finds_open_orders_only(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(lookup="open_only", rest_ms=(200, 200))
    await acknowledged(broker, ticket("a"))
    assert (await known(broker, "a")).status is ChildStatus.WORKING
    await over(rehearsal, 1)
    # It filled, and the venue does not know it: absence is no evidence here.
    assert await broker.lookup("a") is None
    assert len(await broker.executions(0)) == 1


async def test_a_venue_that_finds_nothing_by_id(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(lookup="none", misses=1.0)
    await acknowledged(broker, ticket("a"))
    assert await broker.lookup("a") is None
    assert [o.child_id for o in await broker.open_orders()] == ["a"]


async def test_answers_lag_behind_and_no_more_than_stated(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(lookup_lag_ms=2_000, work_ms=(0, 0))
    missed = untold = 0
    for n in range(8):
        # Asked at once, each time: a busy machine may take longer for all than an answer lags.
        await acknowledged(broker, ioc(f"a{n}"))
        missed += await broker.lookup(f"a{n}") is None
        untold += len(await broker.executions(0)) <= n
    assert missed >= 4
    assert untold >= 4
    await asyncio.sleep(broker.capabilities.lookup_lag / 1e6)
    for n in range(8):
        assert (await known(broker, f"a{n}")).status is ChildStatus.FILLED
    assert len(await broker.executions(0)) == 8


def by(ms: int) -> int:
    return time.time_ns() // 1_000 + ms * MILLISECOND


async def test_what_comes_after_its_deadline_is_refused(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(deadline_ms=1_000)
    assert await refused(broker, ioc("late", send_by=by(-1))) == "too_late"
    assert (await known(broker, "late")).status is ChildStatus.REJECTED
    await acknowledged(broker, ioc("early", send_by=by(5_000)))


async def test_what_lingers_past_its_deadline_is_refused(rehearsal: Rehearsal) -> None:
    """The answer is lost; the deadline makes sure that it cannot trade any more."""
    broker = rehearsal.open("linger", deadline_ms=100, quarantine_ms=2_000)
    assert unclear(await broker.submit(ioc("linger-39", send_by=by(100))))
    await rehearsal.until(lambda: rehearsal.count("orders") == 1)
    assert (await known(broker, "linger-39")).reason == "too_late"
    assert rehearsal.count("executions") == 0


async def test_a_venue_without_deadlines_takes_what_is_late(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open()
    await acknowledged(broker, ioc("late", send_by=by(-1_000)))


async def test_a_rate_limit_is_no_definite_answer(rehearsal: Rehearsal) -> None:
    """It also comes from venues that took the order (see `429_after`)."""
    broker = rehearsal.open(orders_per_second=3)
    outcomes = await asyncio.gather(*(broker.submit(ioc(f"a{n}")) for n in range(12)))
    taken = sum(isinstance(outcome, Acknowledged) for outcome in outcomes)
    assert 3 <= taken <= 6  # A second may have ended meanwhile.
    assert taken == rehearsal.count("orders")
    assert not any(isinstance(outcome, Refused) for outcome in outcomes)
    assert {o.why for o in outcomes if isinstance(o, Unclear)} == {
        "the venue answered 429 rate_limited"
    }


async def test_cancels_have_a_limit_of_their_own(rehearsal: Rehearsal) -> None:
    broker = rehearsal.open(misses=1.0, cancels_per_second=2)
    for n in range(8):
        await acknowledged(broker, ticket(f"a{n}"))
    for n in range(8):
        await broker.cancel(f"a{n}", at(0))
    assert 2 <= rehearsal.count("cancels") <= 4


async def test_a_cancel_never_waits_behind_submits(rehearsal: Rehearsal) -> None:
    rehearsal.open(misses=1.0)
    broker = rehearsal.crash(submit_timeout_ms=20_000, connections=4)
    await acknowledged(broker, ticket("a"))
    rehearsal.venue.change(rehearsal.account, chances={"hang_after": 1.0})
    stuck = [asyncio.create_task(broker.submit(ticket(f"b{n}"))) for n in range(12)]
    await rehearsal.until(lambda: rehearsal.count("orders") == 5)
    begun = time.monotonic()
    await broker.cancel("a", at(0))
    assert time.monotonic() - begun < 15
    assert rehearsal.count("ends") == 1
    assert not any(task.done() for task in stuck)
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)


async def test_every_cancel_of_a_burst_goes_out(rehearsal: Rehearsal) -> None:
    """Each has its own time to be answered; the queue before it does not count."""
    rehearsal.open()
    # More than go out in that time; and a machine that pauses seldom does for so long.
    broker = rehearsal.crash(cancel_timeout_ms=700, cancel_connections=1)
    await asyncio.gather(*(broker.cancel(f"a{n}", at(0)) for n in range(1_000)))
    assert rehearsal.count("cancels") == 1_000


async def test_a_submit_that_waited_too_long_is_not_sent(rehearsal: Rehearsal) -> None:
    """The lease that allowed it may be over."""
    rehearsal.open("hang_after")
    broker = rehearsal.crash(submit_timeout_ms=300, connections=1)
    outcomes = await asyncio.gather(broker.submit(ioc("a")), broker.submit(ioc("b")))
    assert all(isinstance(outcome, Unclear) for outcome in outcomes)
    assert rehearsal.count("orders") == 1


@pytest.mark.parametrize("wrong", [{"id_scope": "sometimes"}, {"chances": {"drop": 1}}, {"lag": 1}])
async def test_a_misspelt_behaviour_is_refused(rehearsal: Rehearsal, wrong: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="bad_behaviour"):
        rehearsal.venue.behave(rehearsal.account, **wrong)
