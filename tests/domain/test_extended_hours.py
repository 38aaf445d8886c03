"""Orders before the open and after the close: who may, when, and by what children."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from app.domain.admission import Admitted, admit
from app.domain.algos import BY_NAME
from app.domain.alternatives import alternatives
from app.domain.bracket import Bracket
from app.domain.cost.calibration import PUBLISHED
from app.domain.decide import NOT_TAKEN
from app.domain.extended_hours import OUTSIDE_SHARE, TradingDay, days_of, thin_outside
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import DAY, HOUR, MINUTE, SECOND
from app.domain.lifecycle import OrderStatus
from app.domain.market import Quote
from app.domain.outstanding import LINGERS
from app.domain.refusal import Refusal
from app.domain.routing import Thresholds
from app.domain.scene import Rules
from app.domain.session import Session
from app.domain.volume import default_curve
from tests.domain.tasks import OPEN, POLICY, SESSION, a_task
from tests.domain.test_admission import NOW, a_request, quote, scene
from tests.domain.test_decide import steady
from tests.domain.toyworld import Row, Venue, World, ended

D = Decimal
EARLY, LATE = 5 * HOUR + 30 * MINUTE, 4 * HOUR
(TODAY,) = days_of((SESSION,), EARLY, LATE)
MORNING = OPEN - 2 * HOUR
EVENING = SESSION.closes_at + HOUR

Fields = Mapping[str, Any]


def entered(fields: Fields, there: Fields | None = None, *, allowed: bool = True) -> Admitted:
    request = a_request(**({"algo": "smart_limit", "extended_hours": True} | dict(fields)))
    market = scene(**({"days": (TODAY,)} | dict(there or {})))
    return admit(request, "o1", market, Rules(Thresholds(), POLICY, extended_hours=allowed))


# Admission


@pytest.mark.parametrize(
    ("fields", "there", "allowed", "says"),
    [
        ({"algo": "twap"}, {}, True, "these do: iceberg, limit, smart_limit"),
        ({"algo": "market"}, {}, True, "market does not trade"),
        ({"params": {"completion": "close"}}, {}, True, "closing auction"),
        ({"bracket": Bracket(stop_loss=D(90))}, {}, True, "in the session alone"),
        ({}, {"days": ()}, True, "no extended hours here"),
        ({}, {}, False, "SLIPSTREAM_EXTENDED_HOURS"),
    ],
)
def test_says_what_cannot_be_done_then(
    fields: Fields, there: Fields, allowed: bool, says: str
) -> None:
    with pytest.raises(Refusal, match=says) as refused:
        entered(fields, there, allowed=allowed)
    assert (refused.value.code, refused.value.field) == ("no_extended_hours", "extended_hours")


def test_works_from_before_the_open_until_after_the_close() -> None:
    early = entered({"end": EVENING}, {"now": MORNING}).task
    assert (early.start, early.end, early.session) == (MORNING, EVENING, TODAY.whole)
    late = entered({}, {"now": EVENING}).task
    assert late.start == EVENING
    assert late.end == EVENING + 10 * MINUTE
    with pytest.raises(Refusal, match="must end by the session's close"):
        entered({"end": TODAY.whole.closes_at + 1}, {"now": EVENING})


def test_who_does_not_ask_waits_for_the_session() -> None:
    asked_not = entered({"extended_hours": False}, {"now": MORNING}).task
    assert (asked_not.start, asked_not.session) == (OPEN, SESSION)
    assert not asked_not.extended_hours


def test_prices_must_be_fresh_then_too() -> None:
    old = {"now": EVENING, "quote": quote(at=NOW), "last_at": NOW}
    with pytest.raises(Refusal) as refused:
        entered({}, old)
    assert refused.value.code == "no_reference_price"
    # Closed, a market is silent by nature.
    assert entered({"extended_hours": False}, old | {"sessions": (SESSION, _next())}).task


def _next() -> Session:
    return Session(SESSION.opens_at + DAY, SESSION.closes_at + DAY)


@pytest.mark.parametrize(
    ("fields", "algo"),
    [({}, "smart_limit"), ({"limit_price": D("99.5")}, "limit"), ({"smart": False}, "smart_limit")],
)
def test_auto_takes_what_works_by_limits(fields: Fields, algo: str) -> None:
    found = entered({"algo": "auto", **fields}, {"now": MORNING})
    assert found.task.algo == algo
    assert "extended hours" in found.route.reason


def test_a_market_that_never_closes_has_no_other_hours() -> None:
    always = Session(OPEN - 10 * DAY, OPEN + 10 * DAY)
    days = days_of((always,), EARLY, LATE)
    assert days == (TradingDay(always, always),)
    task = entered({}, {"sessions": (always,), "days": days}).task
    assert task.session == always
    assert task.curve.source == "flat"


def test_what_does_not_trade_then_is_no_alternative() -> None:
    rules, market = Rules(Thresholds(), POLICY), scene(days=(TODAY,), now=MORNING)
    request = a_request(algo="auto", extended_hours=True)
    found = alternatives(admit(request, "o1", market, rules), request, market, rules, PUBLISHED)
    assert {one.algo for one in found} == {"limit", "smart_limit"}
    assert [one.algo for one in found if one.taken] == ["smart_limit"]


# The curve


@pytest.mark.parametrize("around", [(EARLY, LATE), (0, LATE), (EARLY, 0)])
def test_little_trades_outside(around: tuple[int, int]) -> None:
    (day,) = days_of((SESSION,), *around)
    usual = default_curve(SESSION)
    curve = thin_outside(usual, day)
    assert sum(curve.shares) == pytest.approx(1)
    assert all(a < b for a, b in pairwise(curve.edges))
    assert curve.edges[-1] == day.whole.length
    inside = curve.between(day.whole, SESSION.opens_at, SESSION.closes_at)
    assert inside == pytest.approx(1 - OUTSIDE_SHARE)
    for at in range(OPEN, SESSION.closes_at, 30 * MINUTE):
        expected = usual.between(SESSION, at, at + 30 * MINUTE) * (1 - OUTSIDE_SHARE)
        assert curve.between(day.whole, at, at + 30 * MINUTE) == pytest.approx(expected)


def test_an_order_costs_more_where_little_trades() -> None:
    def expected(now: int) -> float:
        task = entered({"qty": D(20_000)}, {"now": now, "quote": quote(at=now)}).task
        return task.curve.between(task.session, task.start, task.end)

    assert expected(MORNING) < expected(NOW) / 5


# Children


def worked(limit: str | None = None, **of: Any) -> World:
    task = a_task("smart_limit", limit=limit, **of)._replace(extended_hours=True)
    return World(task, steady(), Venue(hits=0))


def test_every_child_is_for_extended_hours() -> None:
    world = worked().run()
    assert ended(world) is OrderStatus.FILLED
    assert {send.purpose for _, send in world.sends} == {Purpose.REST, Purpose.CROSS}
    assert {send.time_in_force for _, send in world.sends} == {TimeInForce.DAY_EXTENDED}


def test_what_does_not_cross_at_once_is_taken_back() -> None:
    """Ten shares are shown and a hundred wanted: nothing there is immediate-or-cancel."""
    moments = range(OPEN, OPEN + 12 * MINUTE, 7 * SECOND)
    thin = [Row(at, Quote(D("99.98"), D("100.02"), D(10), D(10), at, at), D(100)) for at in moments]
    task = a_task("smart_limit", 100, params={"patience": 0})._replace(extended_hours=True)
    world = World(task, thin, Venue(hits=0)).run()
    crossing = [(at, s.qty) for at, s in world.sends if s.purpose is Purpose.CROSS]
    back = [at for at, cancel in world.cancels if cancel.reason == NOT_TAKEN]
    assert len(back) >= 5
    assert [at + LINGERS for at, _ in crossing[: len(back)]] == back
    assert world.execution.filled >= 80


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_only_what_works_by_limits_and_needs_no_volume_may(name: str) -> None:
    algorithm = BY_NAME[name]
    assert algorithm.extended_hours is (name in ("limit", "iceberg", "smart_limit"))
