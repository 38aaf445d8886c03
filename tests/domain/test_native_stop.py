"""The stop that rests at the broker with an exit's child, in the toy world and by example."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.actions import Cancel, Send
from app.domain.desk import Desk
from app.domain.execution import Execution
from app.domain.exits import is_forced
from app.domain.fact import (
    Amended,
    ChildCanceled,
    ChildCancelRequested,
    ChildRejected,
    ExitForced,
    Intended,
    Purpose,
    Rested,
    Sent,
)
from app.domain.instant import SECOND, Instant
from app.domain.market import Market, Quote
from app.domain.quantity import Side
from app.domain.task import Task
from app.store.inputs import desk_from_json, desk_to_json
from tests.domain.tasks import OPEN, POLICY, a_task
from tests.domain.test_bracket import brackets, dip
from tests.domain.test_decide import (
    choose,
    commands,
    market,
    markets,
    quote,
    sent,
    tell,
    venues,
    working,
)
from tests.domain.toyworld import Resting, Row, Venue, World, ended

D = Decimal
STOPS = Desk(stops=True)


@dataclass
class Stopping(Venue):
    """Keeps stops beside what rests: the touch at a stop makes it a limit order at its limit."""

    refusal: str = "broker.bad_stop"
    stops: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    fired: int = 0

    def _take(self, order: Intended, market: Market, now: Instant, heard: Instant) -> None:
        if order.stop_price is None:
            super()._take(order, market, now, heard)
            return
        self.stops[order.child_id] = (order.stop_price, order.stop_limit_price or order.price)
        if order.stop_limit_price is not None:
            super()._take(order, market, now, heard)
            return
        self.reports.append((heard, Rested(now, order.child_id)))
        far = order.side.sign * Decimal(10_000)
        self.resting[order.child_id] = Resting(
            order.child_id, order.side, order.price - far, order.qty
        )

    def advance(self, row: Row) -> None:
        waiting = [c for c in self.resting if c in self.stops]
        for child_id in waiting if row.quote is not None else ():
            order = self.resting[child_id]
            assert row.quote is not None
            stop, limit = self.stops[child_id]
            if order.side.sign * (row.quote.far(order.side) - stop) >= 0:
                order.price, self.fired = limit, self.fired + 1
        out_of_book = {c: o for c, o in self.resting.items() if abs(o.price) > 5_000}
        for child_id in out_of_book:
            del self.resting[child_id]
        super().advance(row)
        self.resting |= out_of_book


@dataclass
class Guarded(World):
    """Looks at every child that carries a stop."""

    desk: Desk = STOPS

    def check_price(self, send: Send, market: Market, quote: Quote) -> None:
        task, sign = self.execution.task, send.side.sign
        if send.stop_price is None:
            assert send.stop_limit_price is None
            super().check_price(send, market, quote)
            return
        limit = send.stop_limit_price
        assert self.desk.stops, "a broker without stops was sent one"
        assert send.purpose is Purpose.REST
        assert not is_forced(task), "who has to cross waits for no stop"
        assert not self.execution.stop_refused, "refused once, and sent again"
        assert not task.extended_hours
        assert sign * (send.stop_price - task.params["stop"]) >= 0
        assert abs(send.stop_price - task.params["stop"]) < task.instrument.tick
        worst = limit if limit is not None else send.price
        assert sign * (worst - send.stop_price * (1 + sign * task.policy.collar)) <= 0
        assert sign * (worst - send.stop_price) >= 0
        assert (limit is None) == (task.limit_price is None)
        for price in (send.stop_price, worst):
            assert price % task.instrument.tick == 0
        if limit is not None:
            super().check_price(send, market, quote)


@settings(max_examples=settings.default.max_examples * 4)
@given(st.data())
def test_stops_rest_only_with_exits_that_wait(data: st.DataObject) -> None:
    task = data.draw(brackets())
    task = task._replace(extended_hours=data.draw(st.sampled_from([False, False, True])))
    plain = data.draw(venues())
    venue = Stopping(**{n: getattr(plain, n) for n in ("rng", "lag", "refuses", "silent", "hits")})
    said = data.draw(st.one_of(st.just([]), commands(task)))
    desk = Desk(stops=data.draw(st.sampled_from([True, True, False])))
    world = Guarded(task, data.draw(markets(task)), venue, desk=desk, commands=said)
    ended(world.run())
    assert len(world.forced) <= 1


@given(brackets(), st.booleans())
def test_other_orders_never_carry_one(task: Task, stops: bool) -> None:
    """Only the exit of a bracket has a stop at all."""
    plain = task._replace(params={k: v for k, v in task.params.items() if k != "stop"})
    if plain.limit_price is None:
        return
    decision = choose(working(plain), market(), OPEN, Desk(stops=stops))
    assert all(a.stop_price is None for a in decision.actions if isinstance(a, Send))


def an_exit(**more: Any) -> Execution:
    told = {"side": Side.SELL, "limit": "105", "params": {"stop": "95"}, **more}
    policy = replace(POLICY, collar=D("0.03"))
    return working(a_task("bracket", 100, policy=policy, **told))


def put(ex: Execution, decided: Send, *, rests: bool = True) -> Execution:
    number = ex.next_child
    name = f"c{number}"
    fact = Intended(
        OPEN, name, number, decided.side, decided.qty, decided.price, decided.purpose,
        decided.time_in_force, OPEN, decided.stop_price, decided.stop_limit_price,
    )  # fmt: skip
    heard = (Sent(OPEN, name, "b"), Rested(OPEN, name)) if rests else ()
    return tell(ex, fact, *heard)


def test_it_rests_at_its_price_beside_the_target() -> None:
    decided = sent(choose(an_exit(), market(), OPEN, STOPS))
    assert (decided.price, decided.stop_price, decided.stop_limit_price) == (105, 95, D("92.15"))
    ex = put(an_exit(), decided)
    assert choose(ex, market(), OPEN, STOPS).actions == ()


def test_alone_it_waits_with_all_the_order_has() -> None:
    decided = sent(choose(an_exit(limit=None), market(), OPEN, STOPS))
    assert (decided.qty, decided.price) == (100, D("92.15"))
    assert (decided.stop_price, decided.stop_limit_price) == (95, None)
    assert choose(put(an_exit(limit=None), decided), market(), OPEN, STOPS).actions == ()
    assert choose(an_exit(limit=None), market(), OPEN).actions == ()


@pytest.mark.parametrize(
    ("side", "stop", "resting", "limit"),
    [("sell", "95.009", "95.00", "92.15"), ("buy", "105.001", "105.01", "108.16")],
)
def test_between_ticks_it_is_not_set_off_too_soon(
    side: str, stop: str, resting: str, limit: str
) -> None:
    target = "110" if side == "sell" else "90"
    ex = an_exit(side=Side(side), limit=target, params={"stop": stop})
    decided = sent(choose(ex, market(), OPEN, STOPS))
    assert (decided.stop_price, decided.stop_limit_price) == (D(resting), D(limit))


def test_another_stop_moves_the_child() -> None:
    ex = put(an_exit(), sent(choose(an_exit(), market(), OPEN, STOPS)))
    ex = tell(ex, Amended(OPEN, params={"stop": D("96")}))
    assert choose(ex, market(), OPEN, STOPS).actions == (Cancel("c1", "stop_price"),)
    ex = tell(ex, ChildCancelRequested(OPEN, "c1", "stop_price"), ChildCanceled(OPEN, "c1"))
    assert sent(choose(ex, market(), OPEN, STOPS)).stop_price == 96


def test_it_comes_and_goes_with_who_trades_on_the_other_side() -> None:
    """A stop beside an order that still opens the position would close what that one fills."""
    plain = sent(choose(an_exit(), market(), OPEN))
    assert plain.stop_price is None
    ex = put(an_exit(), plain)
    assert choose(ex, market(), OPEN).actions == ()
    assert choose(ex, market(), OPEN, STOPS).actions == (Cancel("c1", "stop_price"),)
    ex = put(an_exit(), sent(choose(an_exit(), market(), OPEN, STOPS)))
    assert choose(ex, market(), OPEN).actions == (Cancel("c1", "stop_price"),)


STALE = OPEN + 300 * SECOND
BARS: dict[str, Any] = {
    "halt": {"desk": {"halt": "switch"}},
    "stale quote": {"now": STALE},
    "crossed book": {"market": market(quote("100.02", "100.00"))},
    "no quote": {"market": replace(market(), quote=None)},
    "refused before": {"refused": True},
    "another of the account rests there": {"desk": {"own_bid": D(106)}},
}


@pytest.mark.parametrize("bar", BARS)
@pytest.mark.parametrize("with_stop", [True, False], ids=["to lose its stop", "to get one"])
def test_nothing_goes_while_nothing_could_take_its_place(bar: str, with_stop: bool) -> None:
    """What rests is all that the position has."""
    given = BARS[bar]
    before, after = (STOPS, Desk()) if with_stop else (Desk(), STOPS)
    first = sent(choose(an_exit(), market(), OPEN, before))
    ex = put(an_exit(), replace(first, qty=D(60)))
    if given.get("refused"):
        second = replace(first, qty=D(40), stop_price=None, stop_limit_price=None)
        ex = tell(put(ex, second, rests=False), ChildRejected(OPEN, "c2", "broker.wash_trade"))
    seen = given.get("market", market())
    desk, now = replace(after, **given.get("desk", {})), given.get("now", OPEN)
    decision = choose(ex, seen, now, desk)
    assert not [a for a in decision.actions if isinstance(a, Cancel)]
    # Whatever barred it lets go, and it moves.
    later = now + 3 * SECOND
    decision = choose(ex, market(at=later), later, after)
    assert Cancel("c1", "stop_price") in decision.actions


def test_after_a_refusal_the_rest_goes_out_plainly() -> None:
    """For good: and what rests with its stop already stays."""
    ex = put(an_exit(), replace(sent(choose(an_exit(), market(), OPEN, STOPS)), qty=D(40)))
    ex = put(ex, replace(sent(choose(ex, market(), OPEN, STOPS)), qty=D(60)), rests=False)
    ex = tell(ex, ChildRejected(OPEN, "c2", "broker.bad_stop"))
    assert ex.stop_refused
    later = OPEN + 2 * SECOND
    decided = sent(choose(ex, market(at=later), later, STOPS))
    assert (decided.qty, decided.price, decided.stop_price) == (60, 105, None)


@pytest.mark.parametrize(
    ("reason", "absent"),
    [
        ("absent", True),
        ("not_sent.line_busy", False),
        ("broker.wash_trade", False),
        ("broker.insufficient_funds", False),
    ],
)
def test_only_what_is_wrong_with_the_stop_ends_it(reason: str, absent: bool) -> None:
    ex = put(an_exit(), sent(choose(an_exit(), market(), OPEN, STOPS)), rests=False)
    ex = tell(ex, ChildRejected(OPEN, "c1", reason, absent=absent))
    assert not ex.stop_refused
    later = OPEN + 2 * SECOND
    assert sent(choose(ex, market(at=later), later, STOPS)).stop_price == 95


def test_once_forced_nothing_rests_with_a_stop() -> None:
    ex = put(an_exit(), sent(choose(an_exit(), market(), OPEN, STOPS)))
    ex = tell(ex, ExitForced(OPEN, "session_end"))
    assert choose(ex, market(), OPEN, STOPS).actions == (Cancel("c1", "patience_ended"),)


@pytest.mark.parametrize("more", [{"lot": "0.001"}, {"params": {}}])
def test_what_no_broker_holds_goes_out_plainly(more: dict[str, Any]) -> None:
    assert sent(choose(an_exit(**more), market(), OPEN, STOPS)).stop_price is None


def test_pairs_and_extended_hours_go_out_plainly() -> None:
    task = an_exit().task
    pair = task._replace(instrument=replace(task.instrument, symbol="BTC/USD"))
    for other in (pair, task._replace(extended_hours=True)):
        assert sent(choose(working(other), market(), OPEN, STOPS)).stop_price is None


def test_it_is_stored_with_the_decision() -> None:
    assert desk_from_json(desk_to_json(STOPS)) == STOPS
    assert desk_to_json(Desk()) == {}


def test_whoever_is_first_nothing_is_sold_twice() -> None:
    """The broker's stop takes what it can at once; our desk sees the same touch, and crosses the
    rest once it knows what that was."""
    task = a_task("bracket", 500, side=Side.SELL, limit="105", params={"stop": "99"})
    venue = Stopping(hits=0)
    world = Guarded(task._replace(policy=replace(task.policy, collar=D("0.5"))), dip(), venue)
    ended(world.run())
    assert venue.fired == 1
    assert world.forced == [(OPEN + SECOND, "stop")]
    assert (world.execution.filled, world.execution.excess) == (500, 0)
    rested = [send for _, send in world.sends if send.purpose is Purpose.REST]
    assert [(send.price, send.stop_price) for send in rested] == [(105, 99)]
    assert world.children["c1"].filled == 100


def test_against_a_stop_of_the_account_nothing_is_sent() -> None:
    decision = choose(working(a_task("market", 100)), market(), OPEN, Desk(own_stop=True))
    assert (decision.actions, decision.bound, decision.own) == ((), "own_stop", True)
    assert desk_from_json(desk_to_json(Desk(own_stop=True))) == Desk(own_stop=True)
