"""Alternatives, frontier and participation: what a preview tells beside the estimate."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from app.domain.admission import Admitted, admit
from app.domain.algos import BY_NAME
from app.domain.alternatives import Alternative, alternatives
from app.domain.cost.calibration import PUBLISHED, Calibration
from app.domain.cost.frontier import NOT_KNOWN, TOO_FAST, frontier_of, implied, urgencies_at
from app.domain.cost.model import Estimate
from app.domain.cost.order import conditions_of, estimate_order
from app.domain.cost.participation import shares_of
from app.domain.instant import HOUR, MINUTE
from app.domain.market import Quote
from app.domain.quantity import ZERO, Side
from app.domain.request import Request
from app.domain.routing import Thresholds
from app.domain.scene import Rules, Scene
from app.domain.task import Anchor, Urgency
from app.domain.volume import default_curve
from tests.domain.tasks import OPEN, POLICY, SESSION, a_task

D = Decimal
V = D(1_000_000)
NOW = OPEN + HOUR
RULES = Rules(Thresholds(), POLICY)
QUOTE = Quote(D("99.95"), D("100.05"), D(100), D(100), NOW, NOW)
SCENE = Scene(
    instrument=a_task().instrument,
    sessions=[SESSION],
    curve=default_curve(SESSION),
    quote=QUOTE,
    last=None,
    last_at=None,
    daily_volume=V,
    now=NOW,
    volatility=0.02,
)


def a_request(qty: int = 500, **fields: Any) -> Request:
    return Request(account="a1", symbol="XYZ", side=Side.BUY, qty=D(qty), **fields)


def weighed(
    request: Request, scene: Scene = SCENE, calibration: Calibration = PUBLISHED
) -> tuple[Admitted, dict[str, Alternative]]:
    admitted = admit(request, "o1", scene, RULES)
    found = alternatives(admitted, request, scene, RULES, calibration)
    return admitted, {one.algo: one for one in found}


def expected(of: Admitted, scene: Scene = SCENE) -> Estimate:
    conditions = conditions_of(of.quote, scene.volatility, scene.daily_volume)
    return estimate_order(of.task, of.algorithm, conditions, scene.daily_volume)


@pytest.mark.parametrize(
    ("qty", "urgency", "taken"),
    [
        (50, Urgency.NORMAL, "market"),
        (500, Urgency.HIGH, "twap"),
        (20_000, Urgency.NORMAL, "vwap"),
        (20_000, Urgency.LOW, "limit"),
        (20_000, Urgency.IMMEDIATE, "market"),
    ],
)
def test_the_router_says_what_else_there_was(qty: int, urgency: Urgency, taken: str) -> None:
    admitted, found = weighed(a_request(qty, urgency=urgency))
    assert list(found) == ["market", "limit", "twap", "vwap"]
    assert [name for name, one in found.items() if one.taken] == [taken] == [admitted.task.algo]
    assert found[taken].why == admitted.route.reason
    others = [one.why for one in found.values() if not one.taken]
    assert all(why.startswith("not taken: for ") for why in others)
    assert all(one.estimate.total is not None for one in found.values())


def test_what_is_asked_for_is_weighed_against_the_router_s_choice() -> None:
    _, found = weighed(a_request(500, algo="vwap"))
    assert found["vwap"].taken
    assert found["vwap"].why == "asked for"
    assert found["twap"].why == "not asked for; auto would take it: notional up to 100000"
    assert found["market"].why.startswith("not asked for; auto takes it for a notional below")


def test_alternatives_trade_cost_for_risk() -> None:
    """Patience costs less and risks more: market, an hour's TWAP, VWAP to the close."""
    _, found = weighed(a_request(5_000))
    costs = [found[name].estimate.total or ZERO for name in ("market", "twap", "vwap")]
    risks = [found[name].estimate.sd or ZERO for name in ("market", "twap", "vwap")]
    assert all(a > b for a, b in pairwise(costs))
    assert all(a < b for a, b in pairwise(risks))


def test_an_order_s_own_window_and_placement_hold_for_the_alternatives() -> None:
    asked = a_request(500, algo="twap", duration=10 * MINUTE, params={"placement": "cross"})
    _, found = weighed(asked)
    assert found["vwap"].estimate.pace.days == found["twap"].estimate.pace.days
    assert found["vwap"].estimate.spread.bps == 5


def test_without_history_alternatives_have_a_reason_instead_of_a_figure() -> None:
    _, found = weighed(a_request(), replace(SCENE, daily_volume=None, volatility=None))
    assert {one.estimate.total for one in found.values()} == {None}
    assert all(one.estimate.reason for one in found.values())


def test_the_frontier_meets_the_estimate_where_it_is_even() -> None:
    admitted, _ = weighed(a_request(20_000, algo="vwap"))
    estimate = expected(admitted)
    points = frontier_of(estimate, admitted.task.qty, D(100)).points
    even = points[0]
    notional = 20_000 * 100
    # The discrete permanent term is 1/50 short of I/2.
    assert even.expected / notional * 1e4 == pytest.approx(float(estimate.total or 0), rel=0.02)
    assert even.sd / notional * 1e4 == pytest.approx(float(estimate.sd or 0), rel=0.02)
    assert all(a.expected < b.expected and a.sd > b.sd for a, b in pairwise(points))
    assert [urgencies_at(p.kappa_t) for p in points if urgencies_at(p.kappa_t)] == [
        ["low"], ["normal"], ["high"], ["immediate"],
    ]  # fmt: skip


def test_the_implied_model_is_almgren_and_chriss_s_in_dollars() -> None:
    admitted, _ = weighed(a_request(20_000, algo="vwap"))
    model = implied(expected(admitted), 20_000.0, 100.0)
    assert not isinstance(model, str)
    assert model.sigma == pytest.approx(2.0)
    assert model.epsilon == pytest.approx(0.05 * 0.5)
    assert model.tau * model.n == pytest.approx(expected(admitted).pace.days)


def test_without_history_there_is_no_frontier() -> None:
    blind = replace(SCENE, volatility=None)
    admitted, _ = weighed(a_request(), blind)
    found = frontier_of(expected(admitted, blind), D(500), D(100))
    assert (found.points, found.reason) == ((), NOT_KNOWN)


def test_where_impact_only_stays_there_is_no_frontier() -> None:
    admitted, _ = weighed(a_request(20_000, algo="vwap"))
    estimate = expected(admitted)
    stuck = estimate._replace(pace=estimate.pace._replace(days=1e9))
    assert frontier_of(stuck, D(20_000), D(100)).reason == TOO_FAST


def test_participation_slice_by_slice() -> None:
    """12 % of a day in the second half hour: 120,000 shares in six slices of five minutes."""
    task = a_task("vwap", 6_000, start=OPEN + 30 * MINUTE, length=30 * MINUTE, params={"jitter": 0})
    plan = BY_NAME["vwap"].plan(task, Anchor(task.start, ZERO))
    shares = shares_of(plan.steps, task, V)
    assert shares is not None
    assert [round(share.volume) for share in shares] == [20_000] * 6
    assert [round(share.participation, 6) for share in shares] == [round(D(1000) / 21_000, 6)] * 6
    assert shares_of(plan.steps, task, None) is None
    at_once = a_task("market", 1_000)
    plan = BY_NAME["market"].plan(at_once, Anchor(at_once.start, ZERO))
    (share,) = shares_of(plan.steps, at_once, V) or ()
    assert round(share.volume) == 5_000
