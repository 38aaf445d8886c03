"""Orders that only reduce, in the toy world with a position that others move as well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.actions import Cancel, Decision, Move, Send
from app.domain.desk import Desk
from app.domain.execution import Child
from app.domain.fact import BecameUnknown, Purpose
from app.domain.instant import SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.market import Market
from app.domain.placement import cancelable
from app.domain.quantity import ZERO, Side, floor_to
from app.store.inputs import desk_from_json, desk_to_json
from tests.domain.tasks import OPEN, a_task
from tests.domain.test_decide import (
    choose,
    commands,
    intended,
    market,
    markets,
    moments,
    orders,
    steady,
    tell,
    venues,
)
from tests.domain.test_decide import working as begun
from tests.domain.toyworld import Venue, World, ended

D = Decimal


@dataclass(frozen=True)
class Moves:
    """Others' fills move what is held by `by`, towards or through zero where it is below it; from
    then on `reducing` of theirs may still fill."""

    at: Instant
    by: int
    reducing: int


@dataclass
class Reducing(World):
    """What is held at the start, in the direction that the order takes away, and what others do."""

    held: Decimal = ZERO
    others: Sequence[Moves] = ()
    netted: bool = False

    def room(self) -> Decimal:
        """What the position still gives, said again in the plainest way."""
        now = [m for m in self.others if m.at <= self.now]
        return self.held + sum(m.by for m in now) - self.execution.filled

    def facts(self) -> Desk:
        now = [m for m in self.others if m.at <= self.now]
        reserved = D(now[-1].reducing) if now else ZERO
        held = -self.task.side.sign * self.room()
        return Desk(held=held, reducing=reserved, netted=self.netted)

    def decide(self, market: Market) -> Decision:
        self.desk = self.facts()
        return super().decide(market)

    def step(self, now: Instant, woken: bool = False) -> None:
        super().step(now, woken or any(m.at == now for m in self.others))

    def settle(self, market: Market) -> None:
        super().settle(market)
        e, lot = self.execution, self.task.instrument.lot
        over = e.reserved + self.desk.reducing > max(floor_to(self.room(), lot), ZERO)
        asked = e.done or e.pause_requested or e.cancel_reason is not None
        if over and not asked and e.status is OrderStatus.WORKING:
            stays = [c for c in e.children if cancelable(c)]
            assert not stays, "rests beyond the position"

    def check_send(self, send: Send, market: Market) -> None:
        super().check_send(send, market)
        out = self.execution.reserved + send.qty + self.desk.reducing
        assert out <= self.room(), f"through zero: {out} of {self.room()}"

    def check_cancel(self, child: Child) -> None:
        if self.execution.reserved + self.desk.reducing <= self.room():
            super().check_cancel(child)


@settings(max_examples=settings.default.max_examples * 4)
@given(st.data())
def test_no_child_takes_a_position_through_zero(data: st.DataObject) -> None:
    task = data.draw(orders())._replace(reduce_only=True)
    ats = sorted(data.draw(st.lists(moments(task), max_size=4, unique=True)))
    amounts = st.sampled_from([-300, -40, 0, 7, 200])
    moves = [Moves(at, data.draw(amounts), data.draw(st.sampled_from([0, 0, 50]))) for at in ats]
    world = Reducing(
        task,
        data.draw(markets(task)),
        data.draw(venues()),
        commands=data.draw(st.one_of(st.just([]), commands(task))),
        extra=ats,
        held=D(data.draw(st.sampled_from([0, 3, 60, 200, 5000]))),
        others=moves,
        netted=data.draw(st.booleans()),
    )
    status = ended(world.run())
    if all(move.by >= 0 for move in moves):
        assert world.room() >= 0, "its own fills went through zero"
    if status is OrderStatus.CANCELED and world.execution.cancel_reason is None:
        assert world.execution.reason == "nothing_to_reduce"
        assert not world.netted, "what others hide is not over"
        assert world.room() < task.instrument.lot


def reducing(qty: int = 500, **over: object) -> Desk:
    return Desk(**({"held": D(qty), "reducing": ZERO} | over))  # type: ignore[arg-type]


def sell(qty: int = 1000, **over: object):  # type: ignore[no-untyped-def]
    task = a_task("market", qty, side=Side.SELL, **over)  # type: ignore[arg-type]
    return begun(task._replace(reduce_only=True))


def test_it_sends_no_more_than_is_held_and_says_what_bound_it() -> None:
    decision = choose(sell(), market(), OPEN, reducing(500))
    [send] = decision.actions
    assert isinstance(send, Send)
    assert (send.qty, decision.bound) == (500, "reduce_only")


def test_what_others_may_still_fill_is_counted() -> None:
    [send] = choose(sell(), market(), OPEN, reducing(500, reducing=D(380))).actions
    assert isinstance(send, Send)
    assert send.qty == 120
    waits = choose(sell(), market(), OPEN, reducing(500, reducing=D(500)))
    assert (waits.actions, waits.bound) == ((), "reduce_only")


def test_a_child_of_its_own_that_nobody_knows_of_may_still_fill() -> None:
    sent = replace(intended(1, 300, Purpose.REST), side=Side.SELL)
    order = tell(sell(), sent, BecameUnknown(OPEN, "c1", "timeout"))
    [send] = choose(order, market(), OPEN, reducing(500)).actions
    assert isinstance(send, Send)
    assert send.qty == 200


@pytest.mark.parametrize("held", [0, -500])
def test_with_nothing_to_reduce_it_ends(held: int) -> None:
    closing = choose(sell(), market(), OPEN, reducing(held))
    assert closing.actions == (Move(OrderStatus.CLOSING, "nothing_to_reduce"),)


@pytest.mark.parametrize("held", [0, -500])
def test_where_others_hold_against_it_it_waits(held: int) -> None:
    waits = choose(sell(), market(), OPEN, reducing(held, netted=True))
    assert (waits.actions, waits.bound) == ((), "reduce_only")


def test_what_it_holds_is_not_known_so_nothing_is_sent() -> None:
    waits = choose(sell(), market(), OPEN, Desk())
    assert (waits.actions, waits.bound) == ((), "reduce_only")


def test_the_last_of_a_position_is_not_too_small() -> None:
    task = a_task("market", 1000, side=Side.SELL, params={"min_child": "70"})
    [send] = choose(begun(task._replace(reduce_only=True)), market(), OPEN, reducing(30)).actions
    assert isinstance(send, Send)
    assert send.qty == 30


def test_a_shrunken_position_calls_back_what_rests() -> None:
    task = a_task("limit", 400, side=Side.SELL, limit="101")._replace(reduce_only=True)
    world = Reducing(
        task,
        steady(),
        Venue(hits=0),
        extra=[OPEN + SECOND],
        held=D(400),
        others=[Moves(OPEN + SECOND, -100, 0)],
    )
    world.run(until=OPEN + 5 * SECOND)
    sent = [send.qty for _, send in world.sends]
    assert sent == [400, 300]
    assert [cancel.reason for _, cancel in world.cancels] == ["reduce_only"]


def test_a_plain_order_knows_nothing_of_positions() -> None:
    plain = begun(a_task("market", 1000, side=Side.SELL))
    [send] = choose(plain, market(), OPEN, reducing(0)).actions
    assert isinstance(send, Send)
    assert (send.qty, send.purpose) == (1000, Purpose.CROSS)
    assert not isinstance(send, Cancel)


def test_what_it_saw_is_stored_with_the_decision() -> None:
    desk = reducing(-70, reducing=D(20), netted=True)
    assert desk_from_json(desk_to_json(desk)) == desk
