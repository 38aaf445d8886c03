"""The decision core, driven to the end in a toy world that checks every moment between."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.actions import Cancel, Decision, Move, Send
from app.domain.algos import BY_NAME
from app.domain.auction import cutoff_of
from app.domain.decide import decide
from app.domain.desk import Desk
from app.domain.execution import Crossing, Execution, accepted
from app.domain.fact import (
    Amended,
    BecameUnknown,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
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
from app.domain.fold import apply
from app.domain.instant import DAY, HOUR, MILLISECOND, MINUTE, SECOND, Instant
from app.domain.lifecycle import ChildStatus, OrderStatus
from app.domain.market import Market, Quote
from app.domain.plan import Plan
from app.domain.quantity import ZERO, Side
from app.domain.session import Session
from app.domain.task import Policy, Task, Urgency
from app.domain.trigger import (
    BookUncrossed,
    PriceReaches,
    QuoteUpdated,
    SideUpdated,
    TouchMoved,
    VolumeReaches,
)
from tests.domain.tasks import OPEN, SESSION, a_task, bending_curve
from tests.domain.test_algos import plan_of
from tests.domain.toyworld import AUCTION_TAKES, Command, Row, Venue, World, ended

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


SLICED = ("twap", "vwap", "is", "pov", "smart_limit")


@st.composite
def orders(draw: st.DrawFn) -> Task:
    algo = draw(st.sampled_from(["twap", "vwap", "market", "limit", "iceberg", *SLICED, "pov"]))
    side = draw(st.sampled_from(list(Side)))
    params: dict[str, Any] = {
        "max_child": draw(st.sampled_from([None, None, 90, 250])),
        "would_price": draw(st.sampled_from([None, None, None, "99.99", "100.02", "100.05"])),
        "completion": draw(st.sampled_from([None, "finish", "leave", "close"])),
        "display": draw(st.sampled_from([None, None, None, 50, 200])),
        "size_jitter": draw(st.sampled_from([None, None, "0.5"])),
    }
    if algo in SLICED:
        params |= {
            "slices": draw(st.sampled_from([1, 2, 5, 10, 60])),
            "jitter": draw(st.sampled_from([0, 5, 30])),
            "placement": draw(st.sampled_from(["cross", "rest_then_cross", "peg", "step_up"])),
            "patience": draw(st.sampled_from([None, None, 0, 3, 600])),
            "min_child": draw(st.sampled_from([None, None, 30, 70])),
            "steps": draw(st.sampled_from([1, 3, 4])),
            "reprice_pause": draw(st.sampled_from([0, 1, 7])),
            "rate": draw(st.sampled_from(["0.1", "0.3", "0.5"])),
            "child": draw(st.sampled_from([None, 20, 100])),
        }
    params = {k: v for k, v in params.items() if BY_NAME[algo].parameter(k) is not None}
    if algo == "pov" and params.get("placement") == "step_up":
        params["placement"] = "peg"
    lot = draw(st.sampled_from(["1", "1", "5", "10"]))
    limit = draw(st.sampled_from([None, None, None, "100", "99.975", "100.05"]))
    if limit is None and BY_NAME[algo].needs_limit_price:
        limit = "100"
    length = draw(st.sampled_from([10 * MINUTE, 5 * MINUTE, 30 * SECOND, SECOND]))
    policy = Policy(
        draw(st.sampled_from([20 * SECOND, 10 * MINUTE, 10 * MINUTE])),
        D("0.5"),
        length // draw(st.sampled_from([2, 10])),
    )
    closes = params.get("completion") == "close"
    may = BY_NAME[algo].extended_hours and not closes
    task = a_task(
        algo,
        draw(st.sampled_from([1000, 200, 10])),
        side=side,
        lot=lot,
        min_qty=draw(st.sampled_from([lot, "10"])),
        limit=limit,
        cap=draw(st.sampled_from([None, None, None, None, "0.1", "0.25", "0.3", "1"])),
        length=length,
        session=Session(OPEN, OPEN + length) if closes else SESSION,
        policy=policy,
        urgency=draw(st.sampled_from(list(Urgency))),
        curve=None if closes else draw(st.sampled_from([None, bending_curve()])),
        params={k: v for k, v in params.items() if v is not None},
    )
    return task._replace(extended_hours=may and draw(st.booleans()))


@st.composite
def venues(draw: st.DrawFn) -> Venue:
    return Venue(
        Random(draw(st.integers(0, 10**9))),
        lag=draw(st.sampled_from([0, 0, 5 * MILLISECOND, 3 * SECOND])),
        refuses=draw(st.sampled_from([0, 0, 0, 0, 0.2, 0.2, 1])),
        silent=draw(st.sampled_from([0, 0, 0.2])),
        throws_out=draw(st.sampled_from([0, 0, 0, 0.3, 1])),
        hits=draw(st.sampled_from([0, 0.3, 1])),
        frees=draw(st.booleans()),
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
        known = task.algo in SLICED
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
            amend_params(at, {"placement": "cross", "display": "30", "max_child": "80"}),
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
    assert world.now <= task.end + 20 * SECOND + (AUCTION_TAKES if cutoff_of(task) else 0)


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


@given(st.data())
def test_pause_cancels_what_rests_and_resume_spreads_the_rest(data: st.DataObject) -> None:
    task = data.draw(orders())
    low = data.draw(moments(task))
    high = data.draw(st.integers(low + 1, task.end))
    world = World(
        task,
        data.draw(markets(task)),
        data.draw(venues()),
        commands=[(low, lambda e: Paused(low)), (high, lambda e: Resumed(high))],
    )
    world.run(until=high)
    if not world.execution.done:
        assert world.execution.status is ORDER.PAUSED
        # What may rest still is what nobody could be asked to cancel yet.
        left = {world.children[name].status for name in world.venue.resting}
        assert left <= {ChildStatus.UNKNOWN}
        assert not [at for at, _ in world.sends if at >= low]
    ended(world.run())


# The usual ways


def times(world: World) -> list[float]:
    return [(at - OPEN) / SECOND for at, _ in world.sends]


def quantities(world: World) -> list[int]:
    return [int(send.qty) for _, send in world.sends]


def crossing(**params: Any) -> dict[str, Any]:
    return {"slices": 10, "jitter": 0, "placement": "cross", **params}


def resting(**params: Any) -> dict[str, Any]:
    return {"slices": 10, "jitter": 0, **params}


@pytest.mark.parametrize("side", Side)
def test_twap_crosses_slice_by_slice(side: Side) -> None:
    world = World(a_task(side=side, params=crossing()), steady()).run()
    assert ended(world) is ORDER.FILLED
    assert times(world) == [60.0 * k for k in range(10)]
    assert quantities(world) == [100] * 10
    far = D("100.02") if side is Side.BUY else D("99.98")
    assert {send.price for _, send in world.sends} == {far}
    assert [m.status for m in world.moves] == [ORDER.WORKING, ORDER.FILLED]


def test_twap_rests_first_and_crosses_what_is_left() -> None:
    world = World(a_task(params=resting()), steady(), Venue(hits=0)).run()
    assert ended(world) is ORDER.FILLED
    assert times(world) == [30.0 * k for k in range(20)]
    rests, crosses = world.sends[::2], world.sends[1::2]
    assert {(s.purpose, s.price) for _, s in rests} == {(Purpose.REST, D("99.98"))}
    assert {(s.purpose, s.price) for _, s in crosses} == {(Purpose.CROSS, D("100.02"))}
    assert [(c.reason, at - OPEN) for at, c in world.cancels] == [
        ("patience_ended", (30 + 60 * k) * SECOND) for k in range(10)
    ]


def test_what_rested_and_filled_is_not_crossed() -> None:
    world = World(a_task(params=resting()), steady(), Venue(hits=1)).run()
    assert ended(world) is ORDER.FILLED
    assert {send.purpose for _, send in world.sends} == {Purpose.REST}
    assert not world.cancels


def test_vwap_follows_its_curve() -> None:
    task = a_task("vwap", length=SESSION.length, params=crossing(slices=13))
    world = World(task, steady(minutes=390, every=60)).run()
    assert ended(world) is ORDER.FILLED
    sizes = quantities(world)
    assert [*sizes[:2], *sizes[-2:]] == [150, 120, 120, 110]
    assert sorted(sizes[2:-2]) == [55] * 4 + [56] * 5


def test_market_takes_what_is_shown_at_each_new_quote() -> None:
    world = World(a_task("market", 1200), steady(size=500)).run()
    assert ended(world) is ORDER.FILLED
    assert times(world) == [0, 1, 2]
    assert quantities(world) == [1200, 700, 200]


def test_limit_rests_whole_and_expires_with_the_window() -> None:
    world = World(a_task("limit", limit="99.99"), steady(), Venue(hits=0)).run()
    assert ended(world) is ORDER.EXPIRED
    assert world.execution.reason == "window_ended"
    assert [(s.qty, s.price, s.time_in_force) for _, s in world.sends] == [
        (1000, D("99.99"), TimeInForce.DAY)
    ]
    assert [(at, c.reason) for at, c in world.cancels] == [(OPEN + 10 * MINUTE, "window_ended")]
    assert [m.status for m in world.moves] == [ORDER.WORKING, ORDER.CLOSING, ORDER.EXPIRED]
    assert world.execution.canceled == 1000


def test_an_order_waits_for_its_start() -> None:
    start = OPEN + HOUR
    world = World(a_task(start=start, params=crossing()), steady(minutes=80))
    world.now = OPEN
    world.run()
    assert ended(world) is ORDER.FILLED
    assert world.moves[0].status is ORDER.SCHEDULED
    assert world.sends[0][0] == start


@pytest.mark.parametrize("cancel_at", [OPEN - MINUTE, OPEN + 90 * SECOND])
def test_a_cancel_ends_the_order_whenever_it_comes(cancel_at: Instant) -> None:
    command = (cancel_at, lambda e: CancelRequested(cancel_at, "user"))
    world = World(a_task(params=resting()), steady(), Venue(hits=0), commands=[command])
    world.now = OPEN - 2 * MINUTE
    world.run()
    assert ended(world) is ORDER.CANCELED
    assert world.execution.reason == "user"
    assert world.now <= cancel_at
    assert [m.status for m in world.moves][-2:] == [ORDER.CLOSING, ORDER.CANCELED]


def test_an_order_works_through_a_break_between_sessions() -> None:
    morning = Session(OPEN, OPEN + 3 * MINUTE)
    noon = Session(OPEN + 6 * MINUTE, OPEN + 60 * MINUTE)
    world = World(a_task(params=crossing()), steady(size=5000), sessions=(morning, noon)).run()
    assert ended(world) is ORDER.FILLED
    assert not [t for t in times(world) if 180 <= t < 360]
    assert "session" in world.bounds
    # Three slices missed: spread over what is left, not sent together.
    assert max(quantities(world)) < 200
    assert len(world.replans) == 1


# After a gap


@pytest.mark.parametrize("placement", ["cross", "rest_then_cross"])
@pytest.mark.parametrize("high", [90, 240, 450, 530, 570, 590])
def test_missed_slices_are_spread_never_sent_at_once(placement: str, high: int) -> None:
    world = World(
        a_task(params=crossing(placement=placement)),
        steady(size=5000),
        Venue(hits=0),
        asleep=(OPEN + 30 * SECOND, OPEN + high * SECOND),
    ).run()
    assert ended(world) is ORDER.FILLED
    by_moment: dict[Instant, int] = {}
    for at, send in world.sends:
        by_moment[at] = by_moment.get(at, 0) + int(send.qty)
    assert max(by_moment.values()) <= 200
    if high >= 240:
        assert world.replans
        assert "catch_up" in world.bounds


def test_two_missed_slices_are_made_up_a_third_is_not() -> None:
    ex = working(a_task(params=crossing()))
    two = choose(ex, market(at=OPEN + MINUTE), OPEN + MINUTE)
    assert sent(two).qty == 200
    three = choose(ex, market(at=OPEN + 2 * MINUTE), OPEN + 2 * MINUTE)
    assert three.bound == "catch_up"
    assert [type(a).__name__ for a in three.actions] == ["Replan"]


def test_a_late_owner_is_a_larger_deficit_not_a_burst() -> None:
    world = World(a_task(params=crossing()), steady(size=5000))
    world.now = OPEN + 5 * MINUTE
    world.run()
    assert ended(world) is ORDER.FILLED
    assert quantities(world) == [200] * 5


def test_a_limit_out_of_reach_until_the_last_minute_does_not_burst() -> None:
    far = [replace(r, quote=replace(q, ask=D(101))) for r in steady(9) if (q := r.quote)]
    near = steady(minutes=1, size=5000, start=OPEN + 9 * MINUTE + 10 * SECOND)
    near = [replace(r, volume=D(10**7)) for r in near]
    world = World(a_task(limit="100.02", params=crossing()), [*far, *near]).run()
    assert ended(world) is ORDER.FILLED
    assert max(quantities(world)) <= 400
    assert len(world.sends) >= 4


# Children that stay in the way


def static(size: int) -> list[Row]:
    """A book that never moves again: what is taken is not shown anew."""
    return [Row(OPEN, quote(size=size), D(100))]


@pytest.mark.parametrize("lag", [0, 3 * SECOND])
def test_a_slice_that_cannot_cross_leaves_the_next_one_resting(lag: int) -> None:
    task = a_task(params=resting(), policy=Policy(HOUR, D("0.5")))
    world = World(task, static(30), Venue(hits=0, lag=lag)).run()
    assert ended(world) is ORDER.EXPIRED
    assert world.execution.filled == 30
    rests = [at for at, s in world.sends if s.purpose is Purpose.REST]
    assert len(rests) <= 30
    assert len(world.cancels) <= 30
    # The later, the closer, but never closer than a second.
    assert min(b - a for a, b in pairwise(rests)) >= SECOND


def test_an_unknown_child_keeps_its_place_and_the_next_one_its_own() -> None:
    ex = working(a_task(params=resting()))
    ex = tell(ex, intended(1, 100, Purpose.REST), BecameUnknown(OPEN, "c1", "timeout"))
    book = market(at=OPEN + MINUTE)
    second = choose(ex, book, OPEN + MINUTE)
    assert (sent(second).purpose, sent(second).qty) == (Purpose.REST, 100)
    ex = tell(ex, intended(2, 100, Purpose.REST), Rested(OPEN, "c2"))
    assert choose(ex, book, OPEN + MINUTE).actions == ()
    # When the second slice is due as well, only what crossing needs gives way.
    late = choose(ex, market(at=OPEN + 90 * SECOND), OPEN + 90 * SECOND)
    assert late.actions == (Cancel("c2", "patience_ended"),)


def test_crossing_takes_the_oldest_resting_children_and_no_more() -> None:
    ex = working(a_task(params=resting(slices=5)))
    for n in (1, 2, 3):
        ex = tell(ex, intended(n, 100, Purpose.REST), Rested(OPEN, f"c{n}"))
    now = OPEN + 2 * MINUTE
    ex = replace(ex, anchor=replace(ex.anchor, at=OPEN))
    decision = choose(ex, market(at=now), now)
    # Two slices of 200 may be out by now, one of them is due: 300 rest, 100 are free.
    assert decision.actions == (Cancel("c1", "patience_ended"),)
    ex = tell(ex, ChildCancelRequested(now, "c1", "patience_ended"), ChildCanceled(now, "c1"))
    assert (sent(choose(ex, market(at=now), now)).qty) == 200


def test_a_resting_child_thrown_out_is_not_sent_again_at_once() -> None:
    world = World(a_task("limit", limit="99.99"), steady(), Venue(hits=0, throws_out=1)).run()
    assert times(world)[:8] == [0, 1, 3, 7, 15, 31, 63, 123]
    assert world.bounds[0] == "rejections"


def test_refusals_back_off_to_a_minute() -> None:
    world = World(a_task("market"), steady(), Venue(refuses=1)).run()
    assert ended(world) is ORDER.EXPIRED
    assert times(world) == [0, 1, 3, 7, 15, 31, *range(63, 600, 60)]


def test_no_child_takes_the_place_of_an_unknown_one() -> None:
    ex = working(a_task("market"))
    ex = tell(ex, intended(1, 1000), BecameUnknown(OPEN, "c1", "timeout"))
    for seconds in (0, 1, 500):
        now = OPEN + seconds * SECOND
        decision = choose(ex, market(at=now), now)
        assert decision.actions == ()
        assert decision.look_at == OPEN + 10 * MINUTE
    closing = tell(ex, CancelRequested(OPEN, "user"), Moved(OPEN, ORDER.CLOSING, "user"))
    assert choose(closing, market(), OPEN) == Decision()
    proven = tell(closing, ChildRejected(OPEN, "c1", "absent"))
    assert choose(proven, market(), OPEN).actions == (Move(ORDER.CANCELED, "user"),)


def test_a_child_on_its_way_is_not_canceled_before_it_is_known() -> None:
    ex = working(a_task("limit"))
    ex = tell(ex, intended(1, 1000, Purpose.REST), Paused(OPEN), Moved(OPEN, ORDER.PAUSED))
    assert choose(ex, market(), OPEN).actions == ()
    ex = tell(ex, Sent(OPEN, "c1", "b1"))
    assert choose(ex, market(), OPEN).actions == (Cancel("c1", "paused"),)


def test_with_more_filled_than_asked_nothing_is_sent() -> None:
    ex = working(a_task("market"))
    ex = tell(ex, intended(1, 400), ChildCanceled(OPEN, "c1"), intended(2, 700))
    late = Filled(OPEN, "c1", "x1", D(400), D(100), ZERO, "taker")
    old = intended(1, 400)
    child = apply(working(a_task("market")), old).child("c1")
    assert child is not None
    ex = apply(ex, late, replace(child, status=ChildStatus.CANCELED))
    ex = tell(ex, ChildCanceled(OPEN, "c2"))
    assert (ex.excess, ex.filled, ex.reserved) == (100, 400, 0)
    decision = choose(ex, market(at=OPEN + SECOND), OPEN + SECOND)
    assert decision.actions == ()
    assert decision.bound == "excess"


# Amending


@pytest.mark.parametrize("price", ["99.95", "99.993"])
def test_an_amended_limit_moves_the_resting_order(price: str) -> None:
    at = OPEN + MINUTE
    command = (at, lambda e: Amended(at, limit_price=D(price)))
    world = World(a_task("limit", limit="99.97"), steady(), Venue(hits=0), commands=[command])
    world.run()
    assert (world.cancels[0][0], world.cancels[0][1].reason) == (at, "limit_price")
    assert [s.price for _, s in world.sends] == [D("99.97"), D(price).quantize(D("0.01"))]


@pytest.mark.parametrize(("limit", "stays"), [("99.98", True), ("99.97", False), ("101", True)])
def test_an_amended_limit_cancels_only_what_it_forbids(limit: str, stays: bool) -> None:
    ex = working(a_task(params=resting(), limit="100"))
    ex = tell(ex, intended(1, 100, Purpose.REST, "99.98"), Rested(OPEN, "c1"))
    ex = tell(ex, Amended(OPEN + SECOND, limit_price=D(limit)))
    decision = choose(ex, market(at=OPEN + SECOND), OPEN + SECOND, Desk(halt="kill"))
    assert decision.actions == (() if stays else (Cancel("c1", "limit_price"),))


def test_an_amended_quantity_is_spread_over_what_is_left() -> None:
    at = OPEN + 5 * MINUTE
    world = World(
        a_task(params=crossing()),
        steady(size=5000),
        commands=[(at - 1, lambda e: Amended(at - 1, qty=D(1500)))],
    ).run()
    assert ended(world) is ORDER.FILLED
    assert quantities(world) == [100] * 5 + [200] * 5


def test_amended_down_to_what_is_filled_the_order_is_filled() -> None:
    at = OPEN + 90 * SECOND
    world = World(
        a_task(params=crossing()), steady(), commands=[(at, lambda e: Amended(at, qty=D(200)))]
    ).run()
    assert ended(world) is ORDER.FILLED
    assert world.now == at


def test_paused_and_resumed_the_rest_is_spread() -> None:
    low, high = OPEN + 80 * SECOND, OPEN + 6 * MINUTE
    world = World(
        a_task(params=resting()),
        steady(size=5000),
        Venue(hits=0),
        commands=[(low, lambda e: Paused(low)), (high, lambda e: Resumed(high))],
    ).run()
    assert ended(world) is ORDER.FILLED
    assert [c.reason for _, c in world.cancels][:2] == ["patience_ended", "paused"]
    after = [(at, s) for at, s in world.sends if at >= low + SECOND]
    assert after[0][0] == high
    assert {int(s.qty) for _, s in after} == {180}
    assert [m.reason for m in world.moves if m.status is ORDER.WORKING] == [None, "resumed"]


# Where nothing is asked


@pytest.mark.parametrize("status", [ORDER.FILLED, ORDER.CANCELED, ORDER.NEEDS_OPERATOR])
def test_an_order_that_is_done_or_waits_for_a_person_does_nothing(status: OrderStatus) -> None:
    ex = replace(working(a_task()), status=status)
    assert choose(ex, market(), OPEN + DAY) == Decision()


def test_an_order_accepted_after_its_end_expires() -> None:
    ex = accepted(a_task())
    now = OPEN + HOUR
    assert choose(ex, market(), now).actions == (Move(ORDER.CLOSING, "window_ended"),)


def test_a_fill_while_closing_still_fills_the_order() -> None:
    ex = tell(working(a_task("market")), intended(1, 1000), Sent(OPEN, "c1", "b1"))
    ex = tell(ex, CancelRequested(OPEN, "user"), Moved(OPEN, ORDER.CLOSING, "user"))
    assert choose(ex, market(), OPEN).actions == (Cancel("c1", "user"),)
    ex = tell(ex, Filled(OPEN, "c1", "x1", D(1000), D(100), ZERO, "taker"))
    assert choose(ex, market(), OPEN).actions == (Move(ORDER.FILLED, None),)


# The guards, one by one


def working(task: Task) -> Execution:
    return apply(accepted(task), Moved(task.start, ORDER.WORKING))


def market(
    book: Quote | None = None,
    *,
    at: Instant = OPEN,
    last: str | None = "100",
    volume: int | str = 0,
    session: Session | None = SESSION,
) -> Market:
    return Market(book or quote(at=at), D(last) if last else None, OPEN, D(volume), session)


def choose(ex: Execution, seen: Market, now: Instant, desk: Desk | None = None) -> Decision:
    plan: Plan = plan_of(ex.task, ex.anchor)
    decision = decide(ex, plan, desk or Desk(), seen, now)
    assert decide(ex, plan, desk or Desk(), seen, now) == decision
    return decision


def intended(
    number: int, qty: int, purpose: Purpose = Purpose.CROSS, price: str = "100"
) -> Intended:
    tif = TimeInForce.IOC if purpose is Purpose.CROSS else TimeInForce.DAY
    name = f"c{number}"
    return Intended(OPEN, name, number, Side.BUY, D(qty), D(price), purpose, tif, OPEN)


def tell(ex: Execution, *facts: Fact) -> Execution:
    for fact in facts:
        ex = apply(ex, fact)
    return ex


def sent(decision: Decision) -> Send:
    (action,) = decision.actions
    assert isinstance(action, Send)
    return action


def test_the_guards_bind_in_their_order() -> None:
    """Everything stands in the way at first; each relief shows the next guard."""
    task = a_task(
        params=crossing(min_child=50),
        lot="10",
        min_qty="10",
        cap="0.1",
        limit="99.99",
        policy=Policy(60 * SECOND, D("0.0001")),
    )
    now = OPEN + 5 * MINUTE
    stale, fresh = now - 61 * SECOND, now - SECOND
    ex = replace(
        working(task),
        filled=D(195),
        excess=D(1),
        rejections=1,
        rejected_at=now,
        crossing=Crossing(now - SECOND),
    )
    seen = Market(None, D("99.00"), OPEN, ZERO, Session(now + 1, now + HOUR))
    desk = Desk(halt="kill", own_ask=D("100.02"))
    bounds = []

    def look(kind: str) -> None:
        decision = choose(ex, seen, now, desk)
        bounds.append(decision.bound)
        assert not [a for a in decision.actions if isinstance(a, Send)], kind

    look("session")
    seen = replace(seen, session=SESSION)
    look("halt")
    desk = replace(desk, halt=None)
    look("excess")
    ex = replace(ex, excess=ZERO)
    look("no_quote")
    seen = replace(seen, quote=quote("100.03", "100.02", at=stale))
    look("catch_up")
    ex = replace(ex, anchor=replace(ex.anchor, at=now))
    look("rejections")
    ex = replace(ex, rejected_at=now - SECOND)
    look("stale_quote")
    seen = replace(seen, quote=quote("100.03", "100.02", at=fresh))
    look("crossed_book")
    seen = replace(seen, quote=quote(at=fresh))
    look("same_quote")
    ex = replace(ex, crossing=None)
    look("participation")
    seen = replace(seen, volume=D(10**6))
    look("lots")
    ex = replace(ex, filled=D(180))
    look("min_child")
    ex = replace(ex, filled=ZERO)
    look("limit_price")
    ex = replace(ex, task=task._replace(limit_price=None))
    look("collar")
    seen = replace(seen, last=D("100.02"))
    look("self_match")
    desk = Desk(own_ask=D("100.03"))
    last = choose(ex, seen, now, desk)
    assert last.bound is None
    assert sent(last).qty == 200
    assert bounds == [
        "session",
        "halt",
        "excess",
        "no_quote",
        "catch_up",
        "rejections",
        "stale_quote",
        "crossed_book",
        "same_quote",
        "participation",
        "lots",
        "min_child",
        "limit_price",
        "collar",
        "self_match",
    ]


def test_outside_the_session_the_order_waits_for_the_next_one() -> None:
    ex = working(a_task("market", length=HOUR))
    later = Session(OPEN + 5 * MINUTE, OPEN + DAY)
    decision = choose(ex, market(session=later), OPEN)
    assert (decision.bound, decision.look_at) == ("session", later.opens_at)
    after_end = Session(OPEN + DAY, OPEN + 2 * DAY)
    for session in (after_end, None):
        decision = choose(ex, market(session=session), OPEN)
        assert (decision.bound, decision.look_at) == ("session", OPEN + HOUR)
    at_close = Session(OPEN - DAY, OPEN)
    assert choose(ex, market(session=replace(at_close, closes_at=OPEN)), OPEN).bound == "session"


def test_the_close_is_a_moment_to_look() -> None:
    ex = tell(working(a_task("limit", length=DAY)), intended(1, 1000, Purpose.REST))
    assert choose(ex, market(), OPEN).look_at == SESSION.closes_at


def test_without_a_quote_any_quote_will_do() -> None:
    decision = choose(working(a_task("market")), Market(None, session=SESSION), OPEN)
    assert (decision.bound, decision.triggers) == ("no_quote", (QuoteUpdated(0),))


def test_a_quote_is_stale_only_beyond_its_age() -> None:
    ex = working(a_task("market"))
    old = quote(at=OPEN - 60 * SECOND)
    assert sent(choose(ex, market(old), OPEN))
    older = quote(at=OPEN - 60 * SECOND - 1)
    decision = choose(ex, market(older), OPEN)
    assert (decision.bound, decision.triggers) == ("stale_quote", (QuoteUpdated(older.at),))
    # One side that speaks is enough.
    one = quote(at=OPEN - HOUR, bid_at=OPEN)
    assert sent(choose(ex, market(one), OPEN))


@pytest.mark.parametrize(("bid", "ask"), [("100.02", "100.02"), ("100.03", "100.02")])
@pytest.mark.parametrize("algo", ["market", "limit"])
def test_a_locked_or_crossed_book_is_no_price(bid: str, ask: str, algo: str) -> None:
    decision = choose(working(a_task(algo)), market(quote(bid, ask)), OPEN)
    assert (decision.bound, decision.triggers) == ("crossed_book", (BookUncrossed(),))


def test_the_same_displayed_size_is_not_taken_twice() -> None:
    ex = tell(working(a_task("market")), intended(1, 1000))
    fill = Filled(OPEN + 5, "c1", "x1", D(400), D(100), ZERO, "taker")
    ex = tell(ex, fill, ChildCanceled(OPEN + 6, "c1"))
    for stated in (OPEN, OPEN + 3, OPEN + 5):
        decision = choose(ex, market(quote(ask_at=stated, bid_at=OPEN + 9)), OPEN + 9)
        expected = (SideUpdated(Side.BUY, OPEN + 5),)
        assert (decision.bound, decision.triggers) == ("same_quote", expected)
    assert sent(choose(ex, market(quote(ask_at=OPEN + 6)), OPEN + 9)).qty == 600


def test_a_quote_tried_in_vain_is_not_tried_again() -> None:
    ex = tell(working(a_task("market")), intended(1, 1000), ChildCanceled(OPEN, "c1"))
    assert choose(ex, market(), OPEN).triggers == (SideUpdated(Side.BUY, OPEN),)
    sell = working(a_task("market", side=Side.SELL))
    sell = replace(sell, crossing=Crossing(OPEN))
    assert choose(sell, market(), OPEN).triggers == (SideUpdated(Side.SELL, OPEN),)


@pytest.mark.parametrize(
    ("cap", "lot", "used", "step", "volume"),
    [
        ("0.1", "1", "0", "200", "1800"),
        ("0.2", "1", "0", "200", "800"),
        ("0.3", "1", "7", "200", "483"),
        ("0.1", "100", "50", "200", "2700"),
        ("0.25", "0.001", "0.0005", "200", "600.003"),
        ("0.4", "1", "1", "200", "301.5"),
    ],
)
def test_participation_waits_for_exactly_enough_volume(
    cap: str, lot: str, used: str, step: str, volume: str
) -> None:
    """A fifth of the slice at a time; the order's own volume counts."""
    ex = replace(working(a_task("market", cap=cap, lot=lot, min_qty=lot)), filled=D(used))
    held = choose(ex, market(volume="0"), OPEN)
    assert held.bound == "participation"
    assert held.triggers == (VolumeReaches(OPEN, D(volume)),)
    below = choose(ex, market(volume=str(D(volume) - D("0.0001"))), OPEN)
    assert below.triggers == held.triggers
    enough = choose(ex, market(volume=volume), OPEN)
    assert enough.bound == "participation"
    assert sent(enough).qty == D(step) if lot != "100" else sent(enough).qty >= D(step)


def test_participation_on_a_part_of_the_market_s_volume_waits_for_that_part_of_it() -> None:
    """What is judged is the estimate; what is waited for is what the tape will have."""
    ex = working(a_task("market", cap="0.1"))
    seen = replace(market(volume="1799"), volume_coverage=D("0.04"), own_volume=D(100))
    held = choose(ex, seen, OPEN)
    assert (held.bound, held.triggers) == ("participation", (VolumeReaches(OPEN, D(76)),))
    assert sent(choose(ex, replace(seen, volume=D(1800)), OPEN)).qty == 200


def test_participation_counts_what_rests_and_what_is_unknown() -> None:
    ex = working(a_task("limit", cap="0.1"))
    ex = tell(ex, intended(1, 200, Purpose.REST), intended(2, 200, Purpose.REST))
    ex = tell(ex, BecameUnknown(OPEN, "c2", "timeout"))
    held = choose(ex, market(volume=9 * 599), OPEN)
    assert held.triggers == (VolumeReaches(OPEN, D(9 * 600)),)
    assert sent(choose(ex, market(volume=9 * 600), OPEN)).qty == 200


def test_participation_is_whole_steps_and_lets_the_whole_wish_through() -> None:
    ex = working(a_task("market", cap="0.1"))
    assert sent(choose(ex, market(volume=9 * 799), OPEN)).qty == 600
    whole = choose(ex, market(volume=9 * 1000), OPEN)
    assert (sent(whole).qty, whole.bound) == (1000, None)
    for cap in ("1", None):
        free = working(a_task("market", cap=cap))
        assert sent(choose(free, market(), OPEN)).qty == 1000


def test_a_participation_step_is_a_lot_and_a_child_at_least() -> None:
    thin = working(a_task("market", 3, cap="0.5", min_qty="0"))
    assert sent(choose(thin, market(volume=2), OPEN)).qty == 2
    odd = working(a_task("twap", cap="0.1", lot="100", params=crossing(slices=2, min_child=150)))
    held = choose(odd, market(volume=9 * 199), OPEN)
    assert held.triggers == (VolumeReaches(OPEN, D(9 * 200)),)
    assert sent(choose(odd, market(volume=9 * 200), OPEN)).qty == 200


def test_when_a_cap_binds_what_rests_makes_room_for_what_is_due() -> None:
    rows = [replace(r, volume=D(180 * 9)) for r in steady(size=5000)]
    world = World(a_task(cap="0.1", params=resting()), rows, Venue(hits=0)).run()
    assert ended(world) is ORDER.EXPIRED
    assert world.execution.filled == 180


def test_max_child_binds_without_holding() -> None:
    ex = working(a_task("market", params={"max_child": 300}))
    decision = choose(ex, market(), OPEN)
    assert (sent(decision).qty, decision.bound) == (300, "max_child")
    exact = working(a_task("market", params={"max_child": 1000}))
    assert choose(exact, market(), OPEN).bound is None


def test_lots_round_down_and_less_than_a_lot_waits() -> None:
    ex = working(a_task("market", 250, lot="100"))
    assert sent(choose(ex, market(), OPEN)).qty == 200
    ex = replace(ex, filled=D(200))
    decision = choose(ex, market(), OPEN)
    assert (decision.bound, decision.actions) == ("lots", ())


def test_too_small_a_child_waits_unless_it_is_the_last() -> None:
    task = a_task(params=crossing(min_child=50))
    ex = replace(working(task), filled=D(60))
    decision = choose(ex, market(), OPEN)
    assert (decision.bound, decision.look_at) == ("min_child", OPEN + MINUTE)
    assert sent(choose(replace(ex, filled=D(50)), market(), OPEN)).qty == 50
    merged = choose(ex, market(at=OPEN + MINUTE), OPEN + MINUTE)
    assert sent(merged).qty == 140
    late = OPEN + 9 * MINUTE
    last = replace(ex, filled=D(995), anchor=replace(ex.anchor, at=OPEN))
    assert sent(choose(last, market(at=late), late)).qty == 5


@pytest.mark.parametrize(
    ("side", "limit", "crosses"),
    [
        (Side.BUY, "100.02", True),
        (Side.BUY, "100.0199", False),
        (Side.SELL, "99.98", True),
        (Side.SELL, "99.9801", False),
    ],
)
def test_a_limit_is_never_crossed(side: Side, limit: str, crosses: bool) -> None:
    ex = working(a_task("market", side=side, limit=limit))
    decision = choose(ex, market(), OPEN)
    if crosses:
        assert sent(decision).price == D("100.02" if side is Side.BUY else "99.98")
    else:
        expected = (PriceReaches(side, D(limit)),)
        assert (decision.bound, decision.triggers) == ("limit_price", expected)


@pytest.mark.parametrize(
    ("side", "algo", "limit", "price"),
    [
        (Side.BUY, "limit", "99.999", "99.99"),
        (Side.SELL, "limit", "99.991", "100.00"),
        (Side.BUY, "limit", "101", "101"),
        (Side.BUY, "twap", "99.955", "99.95"),
        (Side.SELL, "twap", "100.045", "100.05"),
        (Side.BUY, "twap", "100", "99.98"),
        (Side.SELL, "twap", "100", "100.02"),
        (Side.BUY, "twap", None, "99.98"),
    ],
)
def test_resting_prices_are_rounded_away_from_the_limit(
    side: Side, algo: str, limit: str | None, price: str
) -> None:
    params = {} if algo == "limit" else resting()
    ex = working(a_task(algo, side=side, limit=limit, params=params))
    assert sent(choose(ex, market(), OPEN)).price == D(price)


@pytest.mark.parametrize("side", Side)
def test_the_collar_holds_a_price_too_far_from_the_last_trade(side: Side) -> None:
    policy = Policy(60 * SECOND, D("0.01"))
    ex = working(a_task("market", side=side, policy=policy))
    far, edge = ("99.01", "99.00") if side is Side.BUY else ("101.01", "101.00")
    assert edge != far
    last = D("100.02") / D("1.01") if side is Side.BUY else D("99.98") / D("0.99")
    beyond = "98" if side is Side.BUY else "102"
    decision = choose(ex, market(last=beyond), OPEN)
    assert decision.bound == "collar"
    furthest = D(beyond) * (1 + side.sign * D("0.01"))
    assert decision.triggers == (PriceReaches(side, furthest), VolumeReaches(OPEN, D(1)))
    inside = last + side.sign * D("0.0001")
    assert sent(choose(ex, market(last=str(inside)), OPEN))


@pytest.mark.parametrize("side", Side)
def test_before_the_first_trade_a_quote_nobody_means_is_no_reference(side: Side) -> None:
    policy = Policy(60 * SECOND, D("0.01"))
    ex = working(a_task("market", side=side, policy=policy))
    stub = quote("100", "150") if side is Side.BUY else quote("50", "100")
    decision = choose(ex, market(stub, last=None), OPEN)
    assert decision.bound == "collar"
    touches = [TouchMoved(s, stub.far(s)) for s in Side]
    assert decision.triggers == (VolumeReaches(OPEN, D(1)), *touches)
    # The first trade, or two sides that agree, let it go.
    assert sent(choose(ex, market(quote("100", "101"), last=None), OPEN))
    assert choose(ex, market(quote("100", "101.01"), last=None), OPEN).bound == "collar"
    near = "150" if side is Side.BUY else "50"
    assert sent(choose(ex, market(stub, last=near), OPEN))


@pytest.mark.parametrize("side", Side)
def test_before_the_first_trade_what_rests_at_the_near_touch_is_no_danger(side: Side) -> None:
    policy, stub = Policy(60 * SECOND, D("0.01")), quote("50", "150")
    behind, inside = ("50", "50.01") if side is Side.BUY else ("150", "149.99")
    low = working(a_task("limit", side=side, limit=behind, policy=policy))
    assert sent(choose(low, market(stub, last=None), OPEN)).price == D(behind)
    high = working(a_task("limit", side=side, limit=inside, policy=policy))
    assert choose(high, market(stub, last=None), OPEN).bound == "collar"


def test_a_limit_beyond_the_collar_is_looked_at_at_the_next_trade_not_every_quote() -> None:
    policy = Policy(60 * SECOND, D("0.01"))
    ex = working(a_task("limit", limit="110", policy=policy))
    decision = choose(ex, market(), OPEN)
    traded = VolumeReaches(OPEN, D(1))
    assert (decision.bound, decision.triggers) == ("collar", (traded,))
    # Further away than the collar on the harmless side is no danger.
    low = working(a_task("limit", limit="50", policy=policy))
    assert sent(choose(low, market(), OPEN)).price == 50


@pytest.mark.parametrize("side", Side)
def test_an_order_never_meets_another_of_its_account(side: Side) -> None:
    ex = working(a_task("market", side=side))
    far = D("100.02") if side is Side.BUY else D("99.98")

    def desk(own: Decimal) -> Desk:
        return Desk(own_ask=own) if side is Side.BUY else Desk(own_bid=own)

    decision = choose(ex, market(), OPEN, desk(far))
    assert (decision.bound, decision.triggers) == ("self_match", (TouchMoved(side, far),))
    assert sent(choose(ex, market(), OPEN, desk(far + side.sign * D("0.01"))))


def test_a_resting_child_waits_for_the_near_touch_to_move() -> None:
    ex = working(a_task(params=resting()))
    decision = choose(ex, market(), OPEN, Desk(own_ask=D("99.98")))
    assert decision.bound == "self_match"
    assert decision.triggers == (TouchMoved(Side.SELL, D("99.98")),)
    assert decision.own


def test_who_is_held_back_by_another_order_says_so_beside_what_binds_first() -> None:
    """Four shares are due and make no lot; the rest would meet an order of the same account."""
    task = a_task(params=resting(), lot="10", policy=Policy(HOUR, D("0.5")))
    ex, now = replace(working(task), filled=D(96)), OPEN + MINUTE
    held = choose(ex, market(), now, Desk(own_ask=D("99.98")))
    assert (held.actions, held.bound, held.own) == ((), "lots", True)
    alone = choose(ex, market(), now)
    assert (sent(alone).qty, alone.own) == (100, False)


def test_what_is_held_does_not_hide_what_may_rest() -> None:
    """The due part waits for its quote; the next slice rests meanwhile."""
    ex = working(a_task(params=resting(), policy=Policy(HOUR, D("0.5"))))
    now = OPEN + MINUTE
    ex = replace(ex, crossing=Crossing(OPEN))
    decision = choose(ex, market(), now)
    assert (sent(decision).purpose, sent(decision).qty) == (Purpose.REST, 100)


def test_both_halves_of_what_is_wanted_name_their_release() -> None:
    """The due part waits for another quote, the resting part for volume."""
    task = a_task(params=resting(), cap="0.1", policy=Policy(HOUR, D("0.5")))
    ex = replace(working(task), crossing=Crossing(OPEN))
    decision = choose(ex, market(), OPEN + MINUTE)
    assert decision.bound == "same_quote"
    assert decision.triggers == (SideUpdated(Side.BUY, OPEN), VolumeReaches(OPEN, D(180)))


def test_participation_comes_before_the_largest_child() -> None:
    ex = working(a_task("market", cap="0.1", params={"max_child": 100}))
    assert choose(ex, market(volume=9 * 199), OPEN).bound == "participation"
    both = choose(ex, market(volume=9 * 200), OPEN)
    assert (sent(both).qty, both.bound) == (100, "max_child")


def test_a_person_may_cancel_what_waits_for_a_person() -> None:
    ex = replace(working(a_task()), status=ORDER.NEEDS_OPERATOR)
    ex = tell(ex, CancelRequested(OPEN, "operator"))
    assert choose(ex, market(), OPEN).actions == (Move(ORDER.CLOSING, "operator"),)
    ex = tell(ex, Moved(OPEN, ORDER.CLOSING, "operator"))
    assert choose(ex, market(), OPEN).actions == (Move(ORDER.CANCELED, "operator"),)
