"""The studies of POV and of urgency: made markets, and the reach on real ones."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.instant import MINUTE
from app.research.run import run
from bench.studies import participation, urgency
from bench.studies.markets import opened, opened_records
from bench.studies.participation import SYMBOL, Kept, orders, row
from bench.studies.placed_orders import Way, cluster_of
from bench.studies.volumes import LEAN_TICKS
from tests.studies.made import OPEN, a_tape, a_task, done


def test_a_steady_market_brings_its_share_less_what_is_not_yet_a_child() -> None:
    tape = a_tape(90, 90)
    task = a_task(
        "pov", 1_000_000, rate="0.1", child=100, placement="cross", end=OPEN + 60 * MINUTE
    )
    kept = participation.measured(tape, done(task, tape))
    # 90 shares every ten seconds bring 10 of ours: a child of 100 every hundred seconds.
    assert kept.children == 35
    assert kept.above == 0
    assert kept.share == pytest.approx(3_500 / (3_500 + 360 * 90))


def test_an_order_that_trades_at_twice_its_rate_is_seen() -> None:
    tape = a_tape(90, 90)
    given = {"rate": "0.2", "child": 100, "placement": "cross", "end": OPEN + 60 * MINUTE}
    fast = done(a_task("pov", 1_000_000, **given), tape)
    slow = fast.task._replace(params={**fast.task.params, "rate": Decimal("0.1")})
    kept = participation.measured(tape, replace(fast, task=slow))
    # At the end 8,000 of 40,400, where a tenth is allowed.
    assert kept.above == pytest.approx((8_000 - 4_040) / 100, rel=0.02)


def test_above_by_more_than_a_child_stops_the_study() -> None:
    kept = [Kept("a", 0.2, 0.1, 5), Kept("b", 1.01, 0.1, 5)]
    with pytest.raises(AssertionError, match="above the rate"):
        row(100, "0.1", "peg", 50, kept)
    assert row(100, "0.1", "peg", 50, kept[:1]).short == pytest.approx(0.0)


def test_what_is_left_follows_the_plan() -> None:
    twap = urgency.left(a_task("twap", 7_800, slices=78, jitter=0))
    assert twap == pytest.approx((77 * 78 * 155 / 6) ** 0.5 / 78**1.5, rel=1e-3)
    sooner = [urgency.left(a_task("is", 78_000, slices=78, kappa_t=k)) for k in (0, 1, 3, 6, 12)]
    assert sooner[0] == pytest.approx(twap, rel=0.01)
    assert sooner == sorted(sooner, reverse=True)


@pytest.mark.data
@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("placement", participation.PLACEMENTS)
def test_the_rate_is_never_passed_on_ibm(data_sets: Path, placement: str) -> None:
    venue = Way(placement, 50).venue
    session = opened_records(data_sets, LEAN_TICKS).stretches(SYMBOL)[1]
    found = []
    for parent in list(orders(session, data_sets, "0.1", placement, 100))[::3]:
        scene = opened(data_sets, venue, parent.market)
        found.append(participation.kept(data_sets, venue, parent, run(parent.task, scene)))
        assert found[-1].cluster == cluster_of(parent.task.start, session.opens_at)
    told = row(100, "0.1", placement, 50, found)
    assert told.orders == 8
    assert told.most_above <= 1
    assert 0 < told.short < 0.15


@pytest.mark.data
@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_the_more_urgent_the_less_spread_on_spy(data_sets: Path) -> None:
    rows = urgency.studied(data_sets, processes=1)
    assert [one.orders for one in rows] == [120] * 6
    ratios = [one.sd_ratio.mean for one in rows[1:]]
    assert ratios == sorted(ratios, reverse=True)
    for one in rows:
        assert abs(one.sd_ratio.mean - one.expected) < 0.05
        assert abs(one.less_than_twap.mean) < 0.1
