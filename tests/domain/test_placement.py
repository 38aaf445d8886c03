"""Where children rest: joined, pegged, stepping up, or shown in parts; and an "I would" price."""

from decimal import Decimal
from typing import Any

import pytest

from app.domain.desk import Desk
from app.domain.execution import accepted
from app.domain.fact import Amended, Purpose
from app.domain.instant import MINUTE, SECOND
from app.domain.lifecycle import OrderStatus
from app.domain.market import Quote
from app.domain.pacing import within_limit
from app.domain.plan import Envelope
from app.domain.quantity import Side
from app.domain.trigger import TouchMoved
from tests.domain.tasks import OPEN, a_task
from tests.domain.toyworld import Row, Venue, World, ended

D = Decimal


def row(second: int, bid: str, ask: str, volume: int = 0, size: int = 500) -> Row:
    at = OPEN + second * SECOND
    quote = Quote(D(bid), D(ask), D(size), D(size), at, at)
    return Row(at, quote, quote.mid, D(volume))


def patient(algo: str = "twap", side: Side = Side.BUY, length: int = 100, **params: Any) -> World:
    """One slice that may rest for half of its time, at a venue where nothing comes to it."""
    given = {"slices": 1, "jitter": 0, "reprice_pause": 0, **params}
    task = a_task(algo, 100, side=side, length=length * SECOND, params=given)
    return World(task, (), Venue(hits=0))


def prices(world: World) -> list[tuple[int, str, str]]:
    """What was sent: second, purpose, price."""
    return [
        ((at - OPEN) // SECOND, send.purpose.value, format(send.price, "f"))
        for at, send in world.sends
    ]


MOVING = [row(0, "99.90", "100.20"), row(10, "99.95", "100.20"), row(20, "99.93", "100.20")]


def test_joined_it_stays_where_it_is() -> None:
    world = patient(placement="rest_then_cross")
    world.rows = MOVING
    assert prices(world.run()) == [(0, "rest", "99.90"), (50, "cross", "100.20")]
    assert ended(world) is OrderStatus.FILLED


def test_pegged_it_follows_the_touch_and_never_steps_back() -> None:
    world = patient(placement="peg")
    world.rows = MOVING
    assert prices(world.run()) == [
        (0, "rest", "99.90"),
        (10, "rest", "99.95"),
        (50, "cross", "100.20"),
    ]


def test_pegged_a_seller_follows_the_offer_down() -> None:
    world = patient(placement="peg", side=Side.SELL)
    world.rows = [row(0, "99.90", "100.20"), row(10, "99.90", "100.11"), row(20, "99.90", "100.15")]
    assert prices(world.run()) == [
        (0, "rest", "100.20"),
        (10, "rest", "100.11"),
        (50, "cross", "99.90"),
    ]


def test_a_pause_bounds_how_often_it_moves() -> None:
    world = patient(placement="peg", reprice_pause=30)
    world.rows = [row(s, format(D("99.90") + D(s) / 1000, "f"), "100.20") for s in range(0, 60, 10)]
    assert prices(world.run()) == [
        (0, "rest", "99.90"),
        (30, "rest", "99.93"),
        (50, "cross", "100.20"),
    ]


def test_stepping_up_it_crosses_the_spread_in_thirds() -> None:
    world = patient(placement="step_up", steps=3)
    world.rows = [row(0, "99.90", "100.20")]
    # Patience is half of 100 s: the steps begin at 0, 50/3 and 100/3 s.
    assert prices(world.run()) == [
        (0, "rest", "99.90"),
        (16, "rest", "100.00"),
        (33, "rest", "100.10"),
        (50, "cross", "100.20"),
    ]


def test_a_step_never_crosses_a_spread_of_one_tick() -> None:
    world = patient(placement="step_up", steps=4)
    world.rows = [row(0, "99.99", "100.00")]
    assert prices(world.run()) == [(0, "rest", "99.99"), (50, "cross", "100.00")]


def test_no_step_goes_beyond_the_limit_price() -> None:
    task = a_task(
        "twap",
        100,
        length=100 * SECOND,
        limit="99.95",
        params={"slices": 1, "jitter": 0, "placement": "step_up", "reprice_pause": 0},
    )
    world = World(task, [row(0, "99.90", "100.20")], Venue(hits=0))
    assert prices(world.run()) == [(0, "rest", "99.90"), (16, "rest", "99.95")]
    assert ended(world) is OrderStatus.EXPIRED


@pytest.mark.parametrize(("jitter", "shown"), [("0", {30}), ("0.5", None)])
def test_an_iceberg_shows_a_part_at_a_time(jitter: str, shown: set[int] | None) -> None:
    params = {"display": 30, "size_jitter": jitter}
    task = a_task("iceberg", 300, limit="99.95", length=10 * MINUTE, params=params)
    rows = [row(s, "99.95", "100.20") for s in range(0, 600, 2)]
    world = World(task, rows, Venue(hits=1))
    world.run()
    assert ended(world) is OrderStatus.FILLED
    sizes = [int(send.qty) for _, send in world.sends]
    assert all(send.purpose is Purpose.REST for _, send in world.sends)
    if shown is not None:
        assert set(sizes) == shown
    else:
        assert len(set(sizes)) > 2
        assert all(15 <= size <= 30 for size in sizes[:-1])


def test_an_iceberg_without_a_word_shows_a_tenth() -> None:
    task = a_task("iceberg", 300, limit="99.95", length=MINUTE)
    world = World(task, [row(0, "99.95", "100.20")], Venue(hits=0))
    world.run()
    assert [send.qty for _, send in world.sends] == [30]


def test_at_a_price_one_would_take_everything_is_taken() -> None:
    task = a_task("twap", 1000, params={"would_price": "100.00", "placement": "cross"})
    rows = [row(s, "99.98", "100.02", size=2000) for s in range(0, 120, 1)]
    rows += [row(s, "99.97", "99.99", size=2000) for s in range(120, 130)]
    world = World(task, rows)
    world.run()
    assert ended(world) is OrderStatus.FILLED
    at, last = world.sends[-1]
    assert (at - OPEN) // SECOND == 120
    assert last.price == D("99.99")
    assert last.qty == 1000 - sum(send.qty for _, send in world.sends[:-1])


def test_what_rests_makes_room_for_a_price_one_would_take() -> None:
    task = a_task("limit", 100, limit="99.90", length=MINUTE, params={"would_price": "99.90"})
    world = World(task, [row(0, "99.80", "100.20"), row(9, "99.80", "99.90")], Venue(hits=0))
    world.run()
    assert ended(world) is OrderStatus.FILLED


def finishing(margin: int, **params: Any) -> list[int]:
    given = {"slices": 2, "jitter": 0, "patience": 3600, **params}
    task = a_task("twap", 100, length=100 * SECOND, params=given)
    world = World(task, [row(s, "99.90", "100.20") for s in range(101)], Venue(hits=0))
    world.desk = Desk(margin=margin * SECOND)
    world.run()
    crossed = [at for at, send in world.sends if send.purpose is Purpose.CROSS]
    return [(at - OPEN) // SECOND for at in crossed]


def test_a_slow_broker_is_given_time_before_the_end() -> None:
    """A slice crosses in the last tenth of its time at the latest: 45 and 95 s."""
    assert finishing(0) == [45, 95]
    assert finishing(9) == [45, 91]
    assert finishing(1000) == [45, 75], "never before the last quarter"


def test_what_is_to_be_left_is_not_hurried() -> None:
    assert finishing(9, completion="leave") == [45]


def test_an_order_that_follows_the_market_is_planned_to_its_end() -> None:
    params = {"completion": "finish"}
    task = a_task("iceberg", 100, limit="99.95", length=100 * MINUTE, params=params)
    world = World(task, [row(s, "99.90", "100.20") for s in range(0, 6000, 15)], Venue(hits=0))
    world.run()
    assert world.replans[0] == (OPEN + 90 * MINUTE, 0)
    assert ended(world) is OrderStatus.EXPIRED, "no price within its limit came"


def test_a_would_price_beyond_the_limit_is_the_limit() -> None:
    """Were it taken at its word, what rests would make room for what the limit forbids."""
    params = {"would_price": "100.30"}
    task = a_task("limit", 100, limit="99.95", length=MINUTE, params=params)
    world = World(task, [row(0, "99.90", "100.20"), row(9, "99.90", "99.95")], Venue(hits=0))
    assert prices(world.run()) == [(0, "rest", "99.95")]
    assert ended(world) is OrderStatus.FILLED


def test_no_room_is_made_for_a_would_price_in_a_locked_book() -> None:
    task = a_task("limit", 100, limit="99.90", length=MINUTE, params={"would_price": "99.90"})
    world = World(task, [row(0, "99.80", "100.20"), row(9, "100.00", "99.90")], Venue(hits=0))
    world.run(until=OPEN + 30 * SECOND)
    assert not world.cancels


@pytest.mark.parametrize("params", [{"would_price": "100.00"}, {}], ids=["would", "limit"])
def test_a_price_that_flickers_does_not_flood_the_broker(params: dict[str, Any]) -> None:
    limit = None if params else "100.00"
    given = {"slices": 1, "jitter": 0, "patience": 0 if limit else 80, **params}
    task = a_task("twap", 100_000, limit=limit, length=100 * SECOND, params=given)
    rows = []
    for k in range(2000):
        at = OPEN + k * SECOND // 20
        ask = "100.00" if k % 2 else "100.05"
        rows.append(Row(at, Quote(D("99.90"), D(ask), D(9), D(9), at, at), D(100), D(k)))
    world = World(task, rows, Venue(hits=0))
    world.run(until=OPEN + 70 * SECOND)
    assert len(world.cancels) <= 71
    rests = [at for at, send in world.sends if send.purpose is Purpose.REST]
    assert len(rests) <= 72


def test_what_the_limit_keeps_from_crossing_goes_on_resting() -> None:
    task = a_task(
        "twap", 100, limit="99.95", length=100 * SECOND, params={"slices": 5, "jitter": 0}
    )
    world = World(task, [row(s, "99.90", "100.20") for s in range(100)], Venue(hits=0))
    world.run(until=OPEN + 99 * SECOND)
    assert prices(world) == [(20 * k, "rest", "99.90") for k in range(5)]
    assert not world.cancels
    assert world.execution.working == 100


def test_what_rested_out_of_reach_is_spread_once_the_price_comes() -> None:
    params = {"slices": 10, "jitter": 0}
    task = a_task("twap", 1000, limit="99.95", length=100 * SECOND, params=params)
    rows = [row(s, "99.90", "100.20") for s in range(60)]
    rows += [row(s, "99.90", "99.95", size=5000) for s in range(60, 100)]
    world = World(task, rows, Venue(hits=0))
    world.run()
    assert ended(world) is OrderStatus.FILLED
    crossed = [(at, send.qty) for at, send in world.sends if send.purpose is Purpose.CROSS]
    assert max(qty for _, qty in crossed) <= 300
    assert world.replans


def test_near_the_end_a_child_called_back_need_not_have_stood() -> None:
    """A broker that needs 15 seconds is asked 15 seconds before the end, not later."""
    params = {"slices": 1, "jitter": 0, "patience": 3600, "would_price": "50.00"}
    task = a_task("twap", 100, length=100 * SECOND, params=params)
    at = OPEN + 85 * SECOND - SECOND // 4
    quote = Quote(D("99.90"), D("100.20"), D(500), D(500), at, at)
    world = World(task, [Row(at, quote, D(100))], Venue(hits=0), desk=Desk(margin=15 * SECOND))
    world.run()
    assert prices(world) == [(84, "rest", "99.90"), (85, "cross", "100.20")]
    assert world.sends[-1][0] == OPEN + 85 * SECOND


def test_within_its_limit_an_order_waits_for_the_price_to_leave() -> None:
    """What is held back from crossing, too small a child for example, rests beyond the limit."""
    task = a_task("twap", 200, limit="100.00", params={"min_child": 70})
    envelope = Envelope(D(100), D(159), None, D(100))
    near = row(0, "99.90", "100.00").quote
    beyond = row(0, "99.90", "100.01").quote
    assert near is not None
    assert beyond is not None
    inside, free = within_limit(accepted(task), envelope, near, D(46))
    assert (inside.must, inside.triggers, free) == (100, (TouchMoved(Side.BUY, D("100.00")),), None)
    assert within_limit(accepted(task), envelope, near, D(0)) == (envelope, None)
    outside, bound = within_limit(accepted(task), envelope, beyond, D(46))
    assert (outside.must, bound) == (0, "limit_price")


def test_what_is_shown_shrinks_with_an_amendment() -> None:
    task = a_task("iceberg", 300, limit="99.95", length=MINUTE, params={"display": 90})
    at = OPEN + 10 * SECOND
    smaller = [(at, lambda e: Amended(at, params={"display": D(30)}))]
    world = World(task, [row(0, "99.95", "100.20")], Venue(hits=0), commands=smaller)
    world.run(until=OPEN + 50 * SECOND)
    assert [(at - OPEN, c.reason) for at, c in world.cancels] == [(10 * SECOND, "display")]
    assert [send.qty for _, send in world.sends] == [90, 30]


def test_a_part_that_may_not_be_smaller_stays() -> None:
    params = {"display": 90, "min_child": 60}
    task = a_task("iceberg", 300, limit="99.95", length=MINUTE, params=params)
    at = OPEN + 10 * SECOND
    smaller = [(at, lambda e: Amended(at, params={"display": D(30)}))]
    world = World(task, [row(0, "99.95", "100.20")], Venue(hits=0), commands=smaller)
    world.run(until=OPEN + 50 * SECOND)
    assert [send.qty for _, send in world.sends] == [90, 60]
    assert len(world.cancels) == 1
