"""Completing an order in the closing auction."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.actions import Send
from app.domain.auction import PRINTS_WITHIN, auction_price, check_auction, cutoff_of
from app.domain.closing import SEND_UNANSWERED, awaited, overdue
from app.domain.desk import Desk
from app.domain.execution import Execution, accepted
from app.domain.fact import (
    Amended,
    CancelRequested,
    ChildCanceled,
    ChildCancelRequested,
    ChildExpired,
    Intended,
    Moved,
    Paused,
    Purpose,
    Resumed,
    Sent,
    TimeInForce,
)
from app.domain.fold import apply
from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side
from app.domain.recovery import OPERATOR_AFTER
from app.domain.refusal import Refusal
from app.domain.session import Session
from app.domain.task import Policy, Task
from app.domain.trigger import QuoteUpdated, VolumeReaches
from tests.domain.tasks import ALWAYS, OPEN, a_task
from tests.domain.test_decide import quote, steady
from tests.domain.toyworld import AUCTION_TAKES, Row, Venue, World, ended

D = Decimal
SHORT = Session(OPEN, OPEN + 10 * MINUTE)
CLOSE = SHORT.closes_at
CUTOFF = CLOSE - 2 * MINUTE
POLICY = Policy(60 * SECOND, D("0.05"), 2 * MINUTE)


def closing(algo: str = "twap", qty: int = 1000, **fields: Any) -> Task:
    """An order over a session of ten minutes, out of the market two minutes before its end."""
    params = fields.pop("params", {})
    if algo == "twap":
        params = {"slices": 10, "jitter": 0, "placement": "cross", **params}
    return a_task(
        algo,
        qty,
        session=fields.pop("session", SHORT),
        policy=fields.pop("policy", POLICY),
        params={"completion": "close", **params},
        **fields,
    )


def auctioned(world: World) -> list[tuple[Instant, int, str]]:
    """When, how much and at which limit."""
    return [
        (at, int(send.qty), format(send.price, "f"))
        for at, send in world.sends
        if send.purpose is Purpose.CLOSE
    ]


class Generous(Venue):
    """An auction that fills whatever is within its limit, and a market that fills nothing."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{"hits": 0, **fields})
        self.rng = _Last()  # type: ignore[assignment]


class _Last:
    def choice(self, given: list[Decimal]) -> Decimal:
        return given[-1]

    def random(self) -> float:
        return 0.999


def days(minutes: int = 12, **fields: Any) -> list[Row]:
    return steady(minutes, **fields)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "105.00"), (Side.SELL, "95.00")])
def test_what_a_twap_leaves_at_the_cutoff_goes_to_the_auction(side: Side, price: str) -> None:
    world = World(closing(side=side), days(), Generous()).run()
    assert ended(world) is OrderStatus.FILLED
    assert auctioned(world) == [(CUTOFF, 200, price)]
    assert [at for at, s in world.sends if s.purpose is Purpose.CROSS][-1] == CUTOFF - MINUTE
    assert [m.status for m in world.moves][-2:] == [OrderStatus.CLOSING, OrderStatus.FILLED]
    assert world.now == CLOSE + AUCTION_TAKES


def test_what_rests_leaves_first_and_goes_once_there_is_evidence() -> None:
    lag = 3 * SECOND
    world = World(closing("limit", limit="99.50"), days(), Generous(lag=lag)).run()
    assert [(c.reason, at) for at, c in world.cancels] == [("closing_auction", CUTOFF)]
    assert auctioned(world) == [(CUTOFF + lag, 1000, "99.50")]
    assert ended(world) is OrderStatus.EXPIRED, "the last price is 100"


def test_the_limit_price_is_the_auctions_where_it_is_nearer_than_the_collar() -> None:
    assert auction_price(closing(limit="101.00"), D(100)) == D("101.00")
    assert auction_price(closing(limit="106.00"), D("100.01")) == D("105.01")
    assert auction_price(closing(side=Side.SELL), D("100.01")) == D("95.01")


def test_participation_bounds_what_enters_and_no_more_enters_later() -> None:
    rows = days(volume=3)
    world = World(closing("limit", limit="99.50", cap="0.25"), rows, Generous()).run()
    # 480 seconds of 3: 1440 of others let 480 of our own be a quarter.
    assert auctioned(world) == [(CUTOFF, 480, "99.50")]


def test_without_any_room_it_waits_for_volume() -> None:
    rows = [*days(8, volume=0)[:-1], Row(CUTOFF, quote(at=CUTOFF), D(100))]
    later = CUTOFF + 30 * SECOND
    rows.append(Row(later, quote(at=later), D(100), D(900)))
    world = World(closing("limit", limit="99.50", cap="0.25"), rows, Generous()).run()
    assert auctioned(world) == [(later, 300, "99.50")]
    assert "participation" in world.bounds


def test_larger_than_a_child_may_be_it_goes_in_parts_at_once() -> None:
    task = closing("limit", limit="99.50", params={"max_child": "400"})
    world = World(task, days(), Generous()).run()
    assert [(at, qty) for at, qty, _ in auctioned(world)] == [
        (CUTOFF, 400),
        (CUTOFF, 400),
        (CUTOFF, 200),
    ]


def test_an_unknown_child_keeps_its_own_quantity_only() -> None:
    ex = working(closing("limit", limit="99.50"))
    ex = sent(ex, 300, Purpose.REST, TimeInForce.DAY)
    unknown = replace(ex.children[0], status=ex.children[0].status.UNKNOWN)
    ex = replace(ex, children=(unknown,), working=D(0), unknown=D(300))
    (send,) = decided(ex).actions
    assert isinstance(send, Send)
    assert (send.qty, send.time_in_force) == (700, TimeInForce.CLS)


def working(task: Task) -> Execution:
    return apply(accepted(task), Moved(task.start, OrderStatus.WORKING))


def sent(ex: Execution, qty: int, purpose: Purpose, tif: TimeInForce) -> Execution:
    n, side = ex.next_child, ex.task.side
    price = D("99.5") if purpose is Purpose.REST else D("105")
    ex = apply(ex, Intended(CUTOFF, f"c{n}", n, side, D(qty), price, purpose, tif, CUTOFF))
    return apply(ex, Sent(CUTOFF, f"c{n}", f"b{n}"))


def decided(ex: Execution, now: Instant = CUTOFF, desk: Desk | None = None, row: Any = None) -> Any:
    row = row or Row(now, quote(at=now), D(100), D(10_000))
    world = World(ex.task, [row], desk=desk or Desk())
    world.execution, world.now = ex, now
    return world.decide(world.market(now))


def test_nothing_enters_while_something_is_still_in_the_market() -> None:
    ex = sent(working(closing("limit", limit="99.50")), 300, Purpose.REST, TimeInForce.DAY)
    assert [action.child_id for action in decided(ex).actions] == ["c1"]
    ex = apply(ex, ChildCancelRequested(CUTOFF, "c1", "closing_auction"))
    assert decided(ex).actions == ()
    ex = apply(ex, ChildCanceled(CUTOFF, "c1"))
    assert [action.qty for action in decided(ex).actions] == [1000]


def test_thrown_out_of_the_auction_it_enters_again_later_each_time() -> None:
    ex = sent(working(closing()), 1000, Purpose.CLOSE, TimeInForce.CLS)
    ex = apply(ex, ChildCanceled(CUTOFF, "c1"))
    held = decided(ex)
    assert (held.actions, held.bound, held.look_at) == ((), "rejections", CUTOFF + SECOND)
    assert decided(ex, CUTOFF + SECOND).actions


@pytest.mark.parametrize(
    ("desk", "bound"),
    [
        (Desk(auction=False), "closing_auction"),
        (Desk(halt="all"), "halt"),
        (Desk(own_ask=D("104.99")), "self_match"),
        (Desk(auctioned=frozenset({Side.SELL})), "self_match"),
    ],
)
def test_what_the_account_forbids(desk: Desk, bound: str) -> None:
    ex = working(closing())
    held = decided(ex, desk=desk)
    assert (held.actions, held.bound, held.own) == ((), bound, bound == "self_match")
    assert decided(ex, desk=Desk(own_ask=D("105.01"), auctioned=frozenset({Side.BUY}))).actions


def test_an_old_quote_holds_it_and_a_locked_one_does_not() -> None:
    ex = working(closing())
    old = Row(CUTOFF, quote(at=CUTOFF - 61 * SECOND), D(100))
    held = decided(ex, row=old)
    assert (held.bound, held.triggers) == ("stale_quote", (QuoteUpdated(CUTOFF - 61 * SECOND),))
    locked = Row(CUTOFF, quote("100", "100", at=CUTOFF), D(100))
    assert decided(ex, row=locked).actions


def test_a_collar_below_the_first_tick_waits_for_a_trade() -> None:
    ex = working(closing())
    held = decided(ex, row=Row(CUTOFF, quote(at=CUTOFF), D("0.004")))
    assert held.bound == "collar"
    assert held.triggers == (VolumeReaches(CUTOFF, D(1)),)


def test_at_the_end_it_stays_and_the_auction_decides() -> None:
    ex = sent(working(closing()), 1000, Purpose.CLOSE, TimeInForce.CLS)
    assert [a.status for a in decided(ex, CLOSE).actions] == [OrderStatus.CLOSING]
    ex = apply(ex, Moved(CLOSE, OrderStatus.CLOSING, "window_ended"))
    assert decided(ex, CLOSE).actions == ()
    ex = apply(ex, ChildExpired(CLOSE + MINUTE, "c1", "closed"))
    assert [a.status for a in decided(ex, CLOSE + MINUTE).actions] == [OrderStatus.EXPIRED]


def test_a_cancel_takes_it_out_before_and_after_the_close() -> None:
    ex = sent(working(closing()), 1000, Purpose.CLOSE, TimeInForce.CLS)
    for now in (CUTOFF + SECOND, CLOSE + SECOND):
        asked = apply(ex, CancelRequested(now, "requested"))
        asked = apply(asked, Moved(now, OrderStatus.CLOSING, "requested"))
        assert [action.child_id for action in decided(asked, now).actions] == ["c1"]


def test_a_pause_takes_it_out_and_a_resume_enters_it_again() -> None:
    pause, resume = CUTOFF + 10 * SECOND, CUTOFF + 40 * SECOND
    commands = [(pause, lambda e: Paused(pause)), (resume, lambda e: Resumed(resume))]
    world = World(closing(), days(), Generous(), commands=commands).run()
    assert [(at, qty) for at, qty, _ in auctioned(world)] == [(CUTOFF, 200), (resume, 200)]
    assert ended(world) is OrderStatus.FILLED


def test_a_nearer_limit_price_enters_it_anew() -> None:
    moment = CUTOFF + 10 * SECOND
    commands = [(moment, lambda e: Amended(moment, limit_price=D("100.50")))]
    world = World(closing(), days(), Generous(), commands=commands).run()
    assert auctioned(world) == [(CUTOFF, 200, "105.00"), (moment, 200, "100.50")]
    assert ended(world) is OrderStatus.FILLED


def test_asleep_at_the_cutoff_it_enters_on_waking() -> None:
    woken = CLOSE - 30 * SECOND
    world = World(closing(), days(), Generous(), asleep=(CUTOFF - MINUTE, woken)).run()
    assert [(at, qty) for at, qty, _ in auctioned(world)] == [(woken, 300)]
    assert ended(world) is OrderStatus.FILLED


def test_the_auction_is_awaited_until_it_has_printed_then_somebody_must_look() -> None:
    ex = sent(working(closing()), 1000, Purpose.CLOSE, TimeInForce.CLS)
    ex = apply(ex, Moved(CLOSE, OrderStatus.CLOSING, "window_ended"))
    assert awaited(ex, CLOSE + PRINTS_WITHIN - 1) == ()
    assert [c.id for c in awaited(ex, CLOSE + PRINTS_WITHIN)] == ["c1"]
    move = overdue(ex, {"c1": OPERATOR_AFTER})
    assert move is not None
    assert move.reason == SEND_UNANSWERED


@pytest.mark.parametrize(
    ("task", "at", "says"),
    [
        (closing(session=ALWAYS, length=ALWAYS.closes_at - OPEN), OPEN, "round the clock"),
        (closing(length=9 * MINUTE), OPEN, "must end at the session's close"),
        (closing(), CUTOFF, "entered by"),
    ],
)
def test_what_cannot_be_completed_in_the_auction(task: Task, at: Instant, says: str) -> None:
    with pytest.raises(Refusal, match=says) as refused:
        check_auction(task, at)
    assert refused.value.field == "params.completion"


def test_only_who_asked_for_it_has_a_cutoff() -> None:
    check_auction(closing(), CUTOFF - 1)
    check_auction(a_task(length=9 * MINUTE), CUTOFF)
    assert cutoff_of(closing()) == CUTOFF
    assert cutoff_of(a_task(session=SHORT, policy=POLICY)) is None
