"""What a kill switch of level `cancel` asks of a desk's open orders: everything, once, cheaply."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.execution import Execution, accepted
from app.domain.fact import (
    BecameUnknown,
    CancelRequested,
    ChildCancelRequested,
    ChildFact,
    Fact,
    Intended,
    Moved,
    OrderFact,
    Purpose,
    Sent,
    TimeInForce,
)
from app.domain.fold import apply
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.engine import halting
from app.engine.halting import Halting
from app.store.controls import Level, Scope, Switch
from app.store.halts import Halt
from app.store.journal import Entry
from tests.domain.tasks import OPEN, a_task

NOW = OPEN + SECOND
EVERYTHING = ("all", "*")


@dataclass
class Order:
    """An open order as its desk knows it."""

    execution: Execution
    strategy: str | None = None
    flattens: bool = False

    @property
    def order_id(self) -> str:
        return self.execution.task.order_id

    @property
    def symbol(self) -> str:
        return self.execution.task.instrument.symbol


def order(name: str, *facts: Fact, symbol: str = "XYZ", strategy: str | None = None) -> Order:
    task = a_task("limit")
    task = task._replace(order_id=name, instrument=replace(task.instrument, symbol=symbol))
    execution = apply(accepted(task), Moved(OPEN, OrderStatus.WORKING))
    for fact in facts:
        execution = apply(execution, fact)
    return Order(execution, strategy)


def intended(child: str, number: int = 1) -> Intended:
    price = Decimal(10)
    rest, day = Purpose.REST, TimeInForce.DAY
    return Intended(OPEN, child, number, Side.BUY, Decimal(100), price, rest, day, OPEN)


def resting(child: str, number: int = 1) -> list[Fact]:
    return [intended(child, number), Sent(OPEN, child, f"b-{child}")]


def switch(
    scope: str = "all", name: str = "*", level: Level = Level.CANCEL, version: int = 1
) -> Switch:
    return Switch(Scope(scope), name, True, level, "drill", version, OPEN, "k1")


class Desk:
    """As much of a desk as a switch touches: its cancels, and what it wrote down."""

    def __init__(self, *orders: Order) -> None:
        self.orders = {one.order_id: one for one in orders}
        self.canceled: list[str] = []
        self.recorded: list[Entry] = []
        self.halting = Halting("main", self._cancel, self._record)

    def _cancel(self, child_id: str, at: Instant) -> None:
        self.canceled.append(child_id)

    async def _record(self, entries: Sequence[Entry], now: Instant) -> None:
        self.recorded += entries
        for entry in entries:
            held = self.orders[entry.order_id]
            for fact in entry.facts:
                held.execution = apply(held.execution, fact)

    async def look(self) -> None:
        await self.halting.carry_out(self.orders, NOW)


async def test_children_are_canceled_and_then_it_is_written_down() -> None:
    desk = Desk(order("o1", *resting("c1"), *resting("c2", 2)), order("o2"))
    desk.halting.know((switch(),))
    await desk.look()
    assert desk.canceled == ["c1", "c2"]
    assert desk.recorded == [
        Entry(
            "o1",
            [
                CancelRequested(NOW, "kill_switch:all:*"),
                ChildCancelRequested(NOW, "c1", "kill_switch:all:*"),
                ChildCancelRequested(NOW, "c2", "kill_switch:all:*"),
            ],
            by="kill_switch:all:*",
        ),
        Entry("o2", [CancelRequested(NOW, "kill_switch:all:*")], by="kill_switch:all:*"),
    ]
    await desk.look()
    assert (len(desk.canceled), len(desk.recorded)) == (2, 2)


async def test_a_switch_that_only_halts_asks_for_nothing() -> None:
    desk = Desk(order("o1", *resting("c1")))
    desk.halting.know((switch(level=Level.HALT),))
    await desk.look()
    assert (desk.canceled, desk.recorded) == ([], [])
    assert desk.halting.halts == {EVERYTHING: Halt("drill")}
    # It rises: now it asks.
    assert desk.halting.know((switch(version=2),))
    await desk.look()
    assert desk.canceled == ["c1"]


@pytest.mark.parametrize(
    ("scope", "name", "hit"),
    [
        ("all", "*", ["o1", "o2", "o3"]),
        ("account", "main", ["o1", "o2", "o3"]),
        ("account", "other", []),
        ("symbol", "ABC", ["o2"]),
        ("strategy", "momentum", ["o3"]),
        ("strategy", "ABC", []),
    ],
)
async def test_only_what_is_in_scope_ends(scope: str, name: str, hit: list[str]) -> None:
    desk = Desk(order("o1"), order("o2", symbol="ABC"), order("o3", strategy="momentum"))
    desk.halting.know((switch(scope, name),))
    await desk.look()
    assert [entry.order_id for entry in desk.recorded] == hit


async def test_a_second_switch_reaches_what_the_first_had_spared() -> None:
    desk = Desk(order("o1"))
    desk.halting.know((switch("symbol", "ABC"),))
    await desk.look()
    assert desk.recorded == []
    desk.halting.know((switch(version=2), switch("symbol", "ABC")))
    await desk.look()
    assert [entry.order_id for entry in desk.recorded] == ["o1"]


async def test_an_order_that_comes_later_is_asked_as_well() -> None:
    """Accepted in the moment the switch was thrown: the door had not seen it yet."""
    desk = Desk(order("o1"))
    desk.halting.know((switch(),))
    await desk.look()
    desk.orders["late"] = order("late", *resting("c9"))
    await desk.look()
    assert desk.canceled == ["c9"]
    assert [entry.order_id for entry in desk.recorded] == ["o1", "late"]


async def test_who_takes_over_asks_for_what_was_not_written_down() -> None:
    desk = Desk(order("o1", *resting("c1")), order("o2", *resting("c2")))
    before = Halting("main", desk._cancel, desk._record)
    before.know((switch(),))
    assert before.demand(desk.orders, NOW).cancel == ("c1", "c2")
    await desk._record(before.demand(desk.orders, NOW).entries[:1], NOW)
    # It dies here. Of what the journal has, nothing is asked twice.
    desk.halting.know((switch(),))
    await desk.look()
    assert (desk.canceled, [e.order_id for e in desk.recorded]) == (["c2"], ["o1", "o2"])


async def test_what_could_not_be_written_down_is_asked_to_be_again() -> None:
    desk = Desk(order("o1", *resting("c1")))

    async def fails(entries: Sequence[Entry], now: Instant) -> None:
        raise ConnectionError("database away")

    ill = Halting("main", desk._cancel, fails)
    ill.know((switch(),))
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await ill.carry_out(desk.orders, NOW)
    assert desk.canceled == ["c1"]
    assert len(ill.demand(desk.orders, NOW).entries) == 1


async def test_a_child_nobody_has_heard_of_is_left_to_be_found() -> None:
    unheard = [intended("c1"), intended("c2", 2), BecameUnknown(OPEN, "c2", "timed out")]
    desk = Desk(order("o1", *unheard, *resting("c3", 3)))
    desk.halting.know((switch(),))
    await desk.look()
    assert desk.canceled == ["c3"]
    assert desk.orders["o1"].execution.cancel_reason == "kill_switch:all:*"


async def test_thousands_are_written_in_pieces_and_canceled_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(halting, "ENTRIES_MAX", 4)
    desk = Desk(*(order(f"o{n}", *resting(f"c{n}")) for n in range(10)))
    desk.halting.know((switch(),))
    await desk.look()
    assert (len(desk.canceled), len(desk.recorded)) == (10, 4)
    for _ in range(3):
        await desk.look()
    assert (len(desk.canceled), len(desk.recorded)) == (10, 10)


FACTS = st.lists(
    st.sampled_from(["intend", "send", "lose", "cancel", "ask"]), min_size=0, max_size=8
)


def lived(name: str, steps: Sequence[str]) -> Order:
    """An order with whatever children these steps leave it."""
    one, number = order(name), 0
    for step in steps:
        child = f"{name}-{number}"
        held = one.execution.child(child)
        fact: OrderFact | ChildFact | None = None
        if step == "intend" and number < 9:
            number += 1
            fact = intended(f"{name}-{number}", number)
        elif step == "ask":
            fact = CancelRequested(OPEN, "requested")
        elif held is not None:
            made = {
                "send": Sent(OPEN, child, "b"),
                "lose": BecameUnknown(OPEN, child, "?"),
                "cancel": ChildCancelRequested(OPEN, child, "asked"),
            }
            fact = made[step]
        if fact is not None:
            one.execution = apply(one.execution, fact)
    return one


@given(
    st.lists(FACTS, max_size=6),
    st.sampled_from([EVERYTHING, ("symbol", "XYZ"), ("symbol", "ABC"), ("account", "main")]),
    st.integers(1, 3),
)
async def test_whatever_is_open_ends_and_nothing_is_asked_twice(
    lives: list[list[str]], named: tuple[str, str], deaths: int
) -> None:
    orders = [lived(f"o{n}", steps) for n, steps in enumerate(lives)]
    before = {one.order_id: (one.execution.cancel_reason, one.execution.children) for one in orders}
    desk = Desk(*orders)
    for _ in range(deaths):
        # Every owner begins with an empty memory.
        desk.halting = Halting("main", desk._cancel, desk._record)
        desk.halting.know((switch(*named),))
        await desk.look()
        await desk.look()
    assert len(set(desk.canceled)) == len(desk.canceled)
    for one in orders:
        asked_before, children = before[one.order_id]
        if named == ("symbol", "ABC"):
            assert one.execution.cancel_reason == asked_before
            continue
        assert one.execution.cancel_reason is not None
        if asked_before is None:
            due = [
                c.id
                for c in children
                if c.cancel_requested_at is None and c.status not in ("intent", "unknown")
            ]
            assert set(due) <= set(desk.canceled)


@pytest.mark.slow
async def test_ten_thousand_orders_cost_little_while_nothing_changes() -> None:
    """As a ratio to looking at each order once, so that it holds on any machine."""
    desk = Desk(*(order(f"o{n}", *resting(f"c{n}")) for n in range(10_000)))
    orders = list(desk.orders.values())

    def seconds(rounds: int) -> float:
        begun = time.perf_counter()
        for _ in range(rounds):
            desk.halting.demand(desk.orders, NOW)
        return (time.perf_counter() - begun) / rounds

    idle = seconds(1_000)
    desk.halting.know((switch(),))
    begun = time.perf_counter()
    assert len(desk.halting.demand(desk.orders, NOW).cancel) == 10_000
    first = time.perf_counter() - begun
    for one in orders:
        one.execution = replace(one.execution, cancel_reason="kill_switch:all:*")
    desk.halting.demand(desk.orders, NOW)
    settled = min(seconds(20) for _ in range(3))
    assert idle < first / 1_000
    assert settled < first / 5


async def test_what_closes_positions_is_left_to_whoever_entered_it() -> None:
    closing = order("o2", *resting("c2"))
    closing.flattens = True
    desk = Desk(order("o1", *resting("c1")), closing)
    desk.halting.know((switch(level=Level.FLATTEN),))
    await desk.look()
    assert desk.canceled == ["c1"]
    assert [entry.order_id for entry in desk.recorded] == ["o1"]


async def test_the_kill_file_cancels_what_is_known_once_and_writes_nothing() -> None:
    closing = order("o2", *resting("c2"))
    closing.flattens = True
    desk = Desk(order("o1", *resting("c1"), intended("unheard", 2)), closing)
    desk.halting.cancel_at_once(desk.orders, NOW)
    desk.halting.cancel_at_once(desk.orders, NOW)
    assert (desk.canceled, desk.recorded) == (["c1"], [])
