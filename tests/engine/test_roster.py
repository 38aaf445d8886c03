"""A desk's memory: what it holds of its orders, and what they owe each other."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.actions import Decision, Move, Send
from app.domain.desk import Desk as DeskFacts
from app.domain.execution import Execution, accepted
from app.domain.fact import (
    BecameUnknown,
    CancelRequested,
    ChildExpired,
    Fact,
    Filled,
    Intended,
    Moved,
    Purpose,
    Resumed,
    TimeInForce,
)
from app.domain.fold import apply
from app.domain.instant import MINUTE
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import ZERO, Side
from app.domain.task import OnRestart
from app.engine.roster import Roster
from app.store.halts import Halt
from app.store.journal import Recorded
from app.store.open_orders import Loaded
from tests.domain.tasks import OPEN, a_task

D = Decimal
LATER = OPEN + MINUTE


def order(
    name: str, *facts: Fact, side: Side = Side.BUY, symbol: str = "XYZ", **given: Any
) -> Execution:
    """A working order after these facts."""
    task = a_task(side=side, **given)
    task = task._replace(order_id=name, instrument=replace(task.instrument, symbol=symbol))
    found = apply(accepted(task), Moved(OPEN, OrderStatus.WORKING))
    for fact in facts:
        found = apply(found, fact)
    return found


def child(
    name: str,
    price: str = "10",
    side: Side = Side.BUY,
    purpose: Purpose = Purpose.REST,
    number: int = 1,
    qty: int = 100,
) -> Intended:
    in_force = {
        Purpose.REST: TimeInForce.DAY,
        Purpose.CROSS: TimeInForce.IOC,
        Purpose.CLOSE: TimeInForce.CLS,
    }[purpose]
    return Intended(OPEN, name, number, side, D(qty), D(price), purpose, in_force, OPEN)


def filled(name: str, qty: int, price: str) -> Filled:
    return Filled(OPEN, name, f"{name}-{qty}", D(qty), D(price), ZERO, "maker")


def loaded(execution: Execution, version: int = 1, **over: Any) -> Loaded:
    usual: dict[str, Any] = {
        "strategy": None,
        "arrival_mid": D("9.9"),
        "filled_notional": ZERO,
        "on_restart": OnRestart.RESUME,
    }
    return Loaded(execution, version, **(usual | over))


def roster(*executions: Execution, **over: Any) -> Roster:
    """A roster of these orders, each already looked at."""
    made = Roster()
    made.remember([loaded(e, **over) for e in executions], OPEN)
    made.due(OPEN)
    return made


def record(made: Roster, name: str, *facts: Fact, version: int = 2) -> Execution:
    """Have the journal record facts about an order, and believe it."""
    execution = made.orders[name].execution
    for fact in facts:
        execution = apply(execution, fact)
    booked = tuple(fact for fact in facts if isinstance(fact, Filled))
    made.take_over([Recorded(name, execution, version, booked=booked)], LATER)
    return execution


def names(made: Roster, now: int = LATER) -> list[str]:
    return [o.order_id for o in made.due(now)]


def facts_for(made: Roster, name: str) -> DeskFacts:
    return made.facts_for(made.orders[name])


# When orders are looked at


def test_what_is_loaded_is_looked_at_at_once_and_only_once() -> None:
    made = Roster()
    made.remember([loaded(order("b")), loaded(order("a"))], OPEN)
    assert made.next_at() == OPEN
    assert names(made, OPEN - 1) == []
    assert names(made, OPEN) == ["a", "b"]
    assert names(made, OPEN) == []
    assert made.next_at() is None


def test_waking_leaves_out_what_is_not_open() -> None:
    made = roster(order("a"))
    made.wake(["a", "gone"], LATER)
    assert made.next_at() == LATER
    assert names(made) == ["a"]
    made.wake(["gone"], LATER)
    assert made.next_at() is None


def test_the_newest_wake_counts() -> None:
    made = roster(order("a"))
    made.wake(["a"], OPEN + 5)
    made.wake(["a"], LATER)
    assert names(made, LATER - 1) == []
    assert names(made) == ["a"]


# What is remembered


def test_an_order_that_ended_is_forgotten() -> None:
    made = roster(order("a"), order("b"))
    made.wake(["a", "b"], LATER)
    closing = [CancelRequested(OPEN, "user"), Moved(OPEN, OrderStatus.CLOSING, "user")]
    ended = record(made, "a", *closing, Moved(OPEN, OrderStatus.CANCELED, "user"))
    assert ended.done
    assert list(made.orders) == ["b"]
    assert names(made) == ["b"]
    made.remember([loaded(replace(order("b"), status=OrderStatus.EXPIRED))], LATER)
    assert made.orders == {}
    assert made.next_at() is None


def test_reloading_keeps_what_only_the_desk_knows_and_renews_the_plan() -> None:
    made = roster(order("a"))
    working = made.orders["a"]
    plan, working.behind_since = working.plan, OPEN
    made.remember([loaded(order("a", child("c1")), version=7)], LATER)
    assert made.orders["a"] is working
    assert (working.version, working.execution.working) == (7, 100)
    assert working.behind_since == OPEN
    assert working.plan is plan
    made.remember([loaded(order("a", Resumed(LATER)), version=8)], LATER)
    assert working.plan is not plan
    assert working.plan.steps[0].at >= LATER
    assert names(made) == ["a"]


def test_fills_make_the_average_and_end_standing_still() -> None:
    made = roster(order("a", child("c1")))
    working = made.orders["a"]
    assert working.average_price is None
    working.behind_since = OPEN
    record(made, "a", CancelRequested(OPEN, "user"))
    assert working.behind_since == OPEN
    record(made, "a", filled("c1", 30, "10.00"), filled("c1", 10, "10.40"), version=9)
    assert working.average_price == D("10.1")
    assert (working.behind_since, working.version) == (None, 9)
    assert names(made) == ["a"]


def test_what_was_loaded_half_filled_goes_on_from_its_notional() -> None:
    half = order("a", child("c1"), filled("c1", 50, "10"))
    made = roster(half, filled_notional=D(500))
    record(made, "a", filled("c1", 25, "13"))
    assert made.orders["a"].average_price == D(11)


def test_results_about_orders_of_nobody_are_passed_over() -> None:
    made = roster(order("a"))
    assert made.take_over([Recorded("gone", order("gone"), 2)], LATER) == []
    assert (list(made.orders), names(made)) == (["a"], [])


def test_a_child_without_an_answer_shows() -> None:
    made = roster(order("a", child("c1")), order("b"))
    assert not made.unknown
    record(made, "a", BecameUnknown(OPEN, "c1", "timeout"))
    assert made.unknown
    record(made, "a", filled("c1", 100, "10"))
    assert not made.unknown


# What orders of one account owe each other


def test_own_prices_are_the_best_of_the_others_that_rest() -> None:
    made = roster(
        order("me", child("m", "10.05")),
        order("low", child("l", "10.01"), child("l2", "10.00", number=2)),
        order("high", child("h", "10.02")),
        order("seller", child("s", "10.06", Side.SELL), side=Side.SELL),
        order("other seller", child("o", "10.04", Side.SELL), side=Side.SELL),
        order("elsewhere", child("e", "10.03"), symbol="ABC"),
    )
    assert facts_for(made, "me") == DeskFacts(None, D("10.02"), D("10.04"))
    assert facts_for(made, "high") == DeskFacts(None, D("10.05"), D("10.04"))
    assert facts_for(made, "other seller") == DeskFacts(None, D("10.05"), D("10.06"))
    assert facts_for(made, "elsewhere") == DeskFacts()


def test_what_crosses_or_has_ended_does_not_rest() -> None:
    crossing = child("x", "10.02", purpose=Purpose.CROSS)
    made = roster(order("me"), order("crosses", crossing), order("rests", child("r", "10.01")))
    assert facts_for(made, "me").own_bid == D("10.01")
    record(made, "rests", filled("r", 40, "10.01"))
    assert facts_for(made, "me").own_bid == D("10.01")
    record(made, "rests", filled("r", 60, "10.01"))
    assert facts_for(made, "me").own_bid is None


def test_what_is_in_the_closing_auction_meets_only_what_goes_there() -> None:
    enters = child("c", "9.50", Side.SELL, Purpose.CLOSE)
    made = roster(
        order("me"),
        order("seller", enters, side=Side.SELL),
        order("elsewhere", symbol="ABC"),
    )
    assert facts_for(made, "me") == DeskFacts(auctioned=frozenset({Side.SELL}))
    assert facts_for(made, "seller") == facts_for(made, "elsewhere") == DeskFacts()
    leaves = Send(Side.BUY, D(10), D("10.5"), Purpose.CLOSE, TimeInForce.CLS, OPEN)
    seen = made.facts_for(made.orders["seller"], [("XYZ", "me", leaves)])
    assert seen == DeskFacts(auctioned=frozenset({Side.BUY}))
    record(made, "seller", ChildExpired(OPEN, "c", "closed"))
    assert facts_for(made, "me") == DeskFacts()


def test_a_child_of_unknown_fate_may_rest() -> None:
    lost = BecameUnknown(OPEN, "r", "timeout")
    made = roster(order("me"), order("lost", child("r", "10.01"), lost))
    assert facts_for(made, "me").own_bid == D("10.01")


@pytest.mark.parametrize(
    ("scope", "name", "halt"),
    [
        ("all", "*", "all:*: drill"),
        ("account", "a1", "account:a1: drill"),
        ("symbol", "XYZ", "symbol:XYZ: drill"),
        ("symbol", "ABC", None),
        ("strategy", "trend", "strategy:trend: drill"),
        ("strategy", "other", None),
        ("strategy", "XYZ", None),
        ("symbol", "trend", None),
    ],
)
def test_a_halt_bears_on_whom_it_names(scope: str, name: str, halt: str | None) -> None:
    made = roster(order("me"), strategy="trend")
    made.halts = {(scope, name): Halt("drill")}
    assert facts_for(made, "me").halt == halt


def test_without_a_strategy_no_strategys_halt_bears() -> None:
    made = roster(order("me"))
    made.halts = {("strategy", "trend"): Halt("drill")}
    assert facts_for(made, "me").halt is None


@pytest.mark.parametrize(
    ("own", "symbol", "woken"),
    [
        (True, "XYZ", ["changed", "held"]),
        (False, "XYZ", ["changed"]),
        (True, "ABC", ["changed"]),
    ],
)
def test_who_waited_for_another_order_is_looked_at_when_that_changes(
    own: bool, symbol: str, woken: list[str]
) -> None:
    made = roster(order("held", symbol=symbol), order("changed", child("c1")), order("new"))
    made.orders["held"].decided = Decision(bound="lots", own=own)
    made.decided(made.orders["held"])
    record(made, "changed", filled("c1", 100, "10"))
    assert names(made) == woken


def test_a_place_that_is_free_calls_the_next_however_it_came_free() -> None:
    """Over, or paused by the one whose turn it was."""
    made = Roster(1)
    waiting = [loaded(accepted(a_task()._replace(order_id=name))) for name in ("second", "third")]
    made.remember([loaded(order("first")), *waiting], OPEN)
    for one in made.due(OPEN):
        if one.order_id != "first":
            one.decided = Decision(bound="concurrency")
            made.decided(one)
    record(made, "first", CancelRequested(OPEN, "user"))
    record(made, "first", Moved(OPEN, OrderStatus.CLOSING))
    assert names(made) == ["first"]
    record(made, "first", Moved(OPEN, OrderStatus.CANCELED))
    assert names(made) == ["second"]
    second = made.orders["second"]
    second.decided = Decision((Move(OrderStatus.PAUSED, "requested"),))
    made.decided(second)
    record(made, "second", Moved(OPEN, OrderStatus.PAUSED))
    assert names(made) == ["second", "third"]
