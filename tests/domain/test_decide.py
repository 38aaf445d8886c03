"""The decision core, driven to the end in a toy world that checks every moment between."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.actions import Cancel, Decision, Move, Send
from app.domain.decide import decide
from app.domain.execution import Execution, accepted, apply
from app.domain.fact import (
    Amended,
    BecameUnknown,
    CancelRequested,
    ChildCanceled,
    ChildRejected,
    Fact,
    Filled,
    Intended,
    Moved,
    OrderFact,
    Paused,
    Purpose,
    Rested,
    Resumed,
    Sent,
    TimeInForce,
)
from app.domain.guards import Desk
from app.domain.instant import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market, Quote
from app.domain.plan import Plan
from app.domain.quantity import ZERO, Side
from app.domain.session import Session
from app.domain.task import Policy, Task
from app.domain.trigger import (
    BookUncrossed,
    PriceReaches,
    QuoteUpdated,
    SideUpdated,
    TouchMoved,
    VolumeReaches,
)
from tests.domain.tasks import OPEN, POLICY, SESSION, a_task
from tests.domain.test_algos import plan_of
from tests.domain.toyworld import Command, Row, Venue, World, ended

D = Decimal
ORDER = OrderStatus


def quote(
    bid: str | Decimal = "99.98",
    ask: str | Decimal = "100.02",
    size: int = 500,
    at: Instant = OPEN,
    *,
    bid_at: Instant | None = None,
    ask_at: Instant | None = None,
) -> Quote:
    return Quote(D(bid), D(ask), D(size), D(size), bid_at or at, ask_at or at)


def steady(
    minutes: int = 12, every: int = 1, size: int = 500, volume: int = 10_000, start: Instant = OPEN
) -> list[Row]:
    """A market that stands still and speaks every `every` seconds."""
    moments = range(start, start + minutes * MINUTE, every * SECOND)
    return [Row(at, quote(size=size, at=at), D(100), D(volume * k)) for k, at in enumerate(moments)]


# Any order in any market


@st.composite
def markets(draw: st.DrawFn, task: Task) -> list[Row]:
    """A walk over the order's window: calm or wild, thin or deep, quiet or loud."""
    rng = Random(draw(st.integers(0, 10**9)))
    wild = draw(st.sampled_from([False, False, True]))
    largest = draw(st.sampled_from([1000, 60, 1000, 60, 3]))
    count = draw(st.sampled_from([60, 30, 60, 30, 8, 1]))
    gap = max((task.end - task.start) // count, 1)
    rows: list[Row] = []
    at, bid, spread, volume = task.start - gap, 10_000, 2, 0
    bid_at = ask_at = at
    for _ in range(count + 2):
        if rng.random() < 0.7:
            bid_at = at
            bid += rng.randint(-8, 8) if wild else rng.randint(-1, 1)
        if rng.random() < 0.7:
            ask_at = at
            spread = rng.choice([-1, 0, 1, 1, 2, 5] if wild else [1, 1, 2, 3])
        shown = [D(rng.randint(1, largest)) for _ in Side]
        book = Quote(D(bid) / 100, D(bid + spread) / 100, *shown, bid_at, ask_at)
        if rng.random() < 0.5 and at > task.start:
            volume += rng.randint(1, 3 * largest)
        last = D(bid + rng.randint(-1, 2)) / 100
        rows.append(Row(at, book if rng.random() < 0.97 else None, last, D(volume)))
        at += rng.randint(1, 2 * gap)
    return rows


@st.composite
def orders(draw: st.DrawFn) -> Task:
    algo = draw(st.sampled_from(["twap", "twap", "twap", "vwap", "market", "limit"]))
    side = draw(st.sampled_from(list(Side)))
    params: dict[str, Any] = {"max_child": draw(st.sampled_from([None, None, 90, 250]))}
    if algo in ("twap", "vwap"):
        params |= {
            "slices": draw(st.sampled_from([1, 2, 5, 10, 60])),
            "jitter": draw(st.sampled_from([0, 5, 30])),
            "placement": draw(st.sampled_from(["cross", "rest_then_cross"])),
            "patience": draw(st.sampled_from([None, None, 0, 3, 600])),
            "min_child": draw(st.sampled_from([None, None, 30, 70])),
        }
    lot = draw(st.sampled_from(["1", "1", "5", "10"]))
    limit = draw(st.sampled_from([None, None, None, "100", "99.975", "100.05"]))
    return a_task(
        algo,
        draw(st.sampled_from([1000, 200, 10])),
        side=side,
        lot=lot,
        min_qty=draw(st.sampled_from([lot, "10"])),
        limit="100" if algo == "limit" and limit is None else limit,
        cap=draw(st.sampled_from([None, None, None, None, "0.1", "0.25", "0.3", "1"])),
        length=draw(st.sampled_from([10 * MINUTE, 5 * MINUTE, 30 * SECOND, SECOND])),
        policy=Policy(draw(st.sampled_from([20 * SECOND, 10 * MINUTE, 10 * MINUTE])), D("0.5")),
        params={k: v for k, v in params.items() if v is not None},
    )


@st.composite
def venues(draw: st.DrawFn) -> Venue:
    return Venue(
        Random(draw(st.integers(0, 10**9))),
        lag=draw(st.sampled_from([0, 0, 5 * MILLISECOND, 3 * SECOND])),
        refuses=draw(st.sampled_from([0, 0, 0, 0, 0.2, 0.2, 1])),
        silent=draw(st.sampled_from([0, 0, 0.2])),
        throws_out=draw(st.sampled_from([0, 0, 0, 0.3, 1])),
        hits=draw(st.sampled_from([0, 0.3, 1])),
    )


def moments(task: Task) -> st.SearchStrategy[Instant]:
    return st.integers(task.start, task.end - 1)


@st.composite
def commands(draw: st.DrawFn, task: Task) -> list[tuple[Instant, Command]]:
    def amend_qty(at: Instant, by: int) -> Command:
        def amended(e: Execution) -> OrderFact | None:
            qty = max(e.task.qty + by, e.filled + e.reserved)
            return None if e.done or qty <= 0 else Amended(at, qty=qty)

        return amended

    def amend_limit(at: Instant, price: str) -> Command:
        return lambda e: None if e.done else Amended(at, limit_price=D(price))

    def amend_params(at: Instant, given_params: dict[str, str]) -> Command:
        known = "patience" in task.params or task.algo in ("twap", "vwap")
        return lambda e: Amended(at, params=given_params) if known and not e.done else None

    def always(fact: OrderFact) -> Command:
        return lambda e: None if e.done else fact

    def any_command(at: Instant) -> Command:
        by = draw(st.sampled_from([-500, -30, 30, 400]))
        price = draw(st.sampled_from(["99.90", "100.01", "100.10"]))
        choices: Sequence[Command] = [
            always(Paused(at)),
            always(Resumed(at)),
            amend_qty(at, by),
            amend_limit(at, price),
            amend_params(at, {"placement": "cross", "patience": "2.5", "max_child": "80"}),
            always(CancelRequested(at, "user")),
        ]
        return draw(st.sampled_from(choices))

    return [(at, any_command(at)) for at in draw(st.lists(moments(task), max_size=4, unique=True))]


@settings(max_examples=settings.default.max_examples * 4)
@given(st.data())
def test_any_order_in_any_market_ends_and_never_exceeds(data: st.DataObject) -> None:
    task = data.draw(orders())
    world = World(
        task,
        data.draw(markets(task)),
        data.draw(venues()),
        extra=data.draw(st.lists(moments(task), max_size=8)),
    )
    status = ended(world.run())
    assert status is (ORDER.FILLED if world.execution.filled == task.qty else ORDER.EXPIRED)
    assert world.now <= task.end + 20 * SECOND


@settings(max_examples=settings.default.max_examples * 3)
@given(st.data())
def test_whatever_is_commanded_the_order_ends_and_never_exceeds(data: st.DataObject) -> None:
    task = data.draw(orders())
    world = World(
        task,
        data.draw(markets(task)),
        data.draw(venues()),
        commands=data.draw(commands(task)),
        extra=data.draw(st.lists(moments(task), max_size=5)),
    )
    ended(world.run())


@settings(max_examples=settings.default.max_examples * 2)
@given(st.data())
def test_after_a_gap_nothing_bursts(data: st.DataObject) -> None:
    task = data.draw(orders())
    low = data.draw(moments(task))
    high = data.draw(st.integers(low, task.end + MINUTE))
    world = World(task, data.draw(markets(task)), data.draw(venues()), asleep=(low, high))
    ended(world.run())
    assert not [at for at, _ in world.sends if low <= at < high]
