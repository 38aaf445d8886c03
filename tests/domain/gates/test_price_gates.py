"""Cost, and reward to risk at the price that the order would get."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.gate import ExpectedCost
from app.domain.quantity import Side
from app.domain.ruling import Decision, Outcome
from tests.domain.gates.situations import asked, case, flat_cost, root_cost


def ratio(decision: Decision) -> Decimal:
    return Decimal(decision.rulings[0].inputs["ratio"])


def test_the_edge_must_be_worth_a_multiple_of_the_cost() -> None:
    assert asked("cost", case(expected_edge=Decimal(10))).outcome is Outcome.EXECUTE
    under = asked("cost", case(expected_edge=Decimal("9.99")))
    assert under.outcome is Outcome.REJECT
    ruling = under.rulings[0]
    assert ruling.reason == (
        "an edge of 9.99 bps is not worth 2 times the expected cost of 5.00 bps"
    )
    assert (ruling.inputs["cost_bps"], ruling.threshold["edge_bps"]) == ("5", "10")
    assert asked("cost", case(expected_edge=Decimal("9.99")), multiple="1.9").factor == 1


@pytest.mark.parametrize("given", [{"expected_edge": None}, {"cost_at": None}])
def test_what_cannot_be_judged_is_said(given: dict[str, Any]) -> None:
    passed = asked("cost", case(**given))
    assert passed.outcome is Outcome.EXECUTE
    assert passed.rulings[0].reason.startswith("cannot judge")
    assert asked("cost", case(**given), unknown="reject").outcome is Outcome.REJECT


def test_the_high_end_of_the_cost_where_that_is_asked_for() -> None:
    ranged = case(cost_at=lambda qty: ExpectedCost(Decimal(5), Decimal(-45), Decimal(55)))
    assert asked("cost", ranged).outcome is Outcome.EXECUTE
    assert asked("cost", ranged, against="high").outcome is Outcome.REJECT
    assert asked("cost", case(), against="high").rulings[0].reason.startswith("cannot judge")
    # 10 bps a way are 5 bps above the mean, of an sd of 30.4 bps.
    assert asked("cost", ranged).rulings[0].confidence == pytest.approx(0.565, abs=0.001)


@given(st.decimals("0", "50", places=2), st.decimals("0", "50", places=2))
def test_a_higher_cost_never_passes_what_a_lower_one_did_not(one: Decimal, more: Decimal) -> None:
    low = asked("cost", case(cost_at=flat_cost(str(one))))
    high = asked("cost", case(cost_at=flat_cost(str(one + more))))
    assert low.factor >= high.factor


def test_reward_to_risk_at_the_executable_price() -> None:
    """Middle 100.01, 5 bps against us: 100.06 for a buy, 99.96 for a sell."""
    buy, sell = asked("reward_risk", case()), asked("reward_risk", case(Side.SELL))
    assert buy.rulings[0].inputs["price"] == "100.060005"
    assert ratio(buy) == pytest.approx(Decimal("3.7169"), abs=Decimal("0.0001"))
    assert sell.rulings[0].inputs["price"] == "99.959995"
    assert ratio(sell) == pytest.approx(Decimal("3.8076"), abs=Decimal("0.0001"))
    assert buy.outcome is sell.outcome is Outcome.EXECUTE


@given(st.decimals("90", "110", places=2), st.decimals("90", "110", places=2))
def test_sells_are_buys_in_the_mirror(stop: Decimal, target: Decimal) -> None:
    about = 2 * Decimal("100.01")
    buy = asked("reward_risk", case(stop=stop, target=target), under="refuse")
    sell = asked(
        "reward_risk", case(Side.SELL, stop=about - stop, target=about - target), under="refuse"
    )
    assert buy.outcome is sell.outcome
    assert buy.rulings[0].inputs.get("ratio") == sell.rulings[0].inputs.get("ratio")


def test_the_incident_of_one_to_thirteen_hundredths() -> None:
    """Set up at 100.01 for 1 : 2, bought at market 43 bps later: nothing of the setup is left."""
    setup = case(stop=Decimal("99.5275"), target=Decimal("100.5625"), cost_at=flat_cost("43"))
    refused = asked("reward_risk", setup)
    assert ratio(refused) == pytest.approx(Decimal("0.13"), abs=Decimal("0.005"))
    assert refused.outcome is Outcome.REJECT
    assert "no size would restore it" in refused.rulings[0].reason


def test_a_smaller_size_where_that_restores_it() -> None:
    """Cost grows with the root of the size, 40 bps at 1000; 15.67 bps are what the ratio bears."""
    setup = case(stop=Decimal(98), target=Decimal("104.5"), cost_at=root_cost("40"))
    resized = asked("reward_risk", setup)
    assert (resized.outcome, resized.factor) == (Outcome.REDUCE, Decimal("0.153"))
    at = Decimal(resized.rulings[0].inputs["resized_price"])
    assert (setup.target - at) / (at - setup.stop) >= 2  # type: ignore[operator]
    more = setup.quote.mid * (1 + Decimal(40) / 10_000 * Decimal("0.154").sqrt())  # type: ignore[union-attr]
    assert (setup.target - more) / (more - setup.stop) < 2  # type: ignore[operator]
    assert asked("reward_risk", setup, under="refuse").outcome is Outcome.REJECT
    assert asked("reward_risk", setup, least_share="0.2").outcome is Outcome.REJECT
    assert asked("reward_risk", setup, minimum="1.5").outcome is Outcome.EXECUTE


@given(
    st.sampled_from(Side),
    st.decimals("1", "3", places=3),
    st.decimals("2", "8", places=3),
    st.integers(1, 200),
)
def test_what_is_resized_holds_and_what_is_refused_could_not(
    side: Side, risk: Decimal, reward: Decimal, bps: int
) -> None:
    middle = Decimal("100.01")
    setup = case(
        side,
        stop=middle - side.sign * risk,
        target=middle + side.sign * reward,
        cost_at=root_cost(str(bps)),
    )

    def held(share: Decimal) -> bool:
        paid = middle * Decimal(bps) / 10_000 * share.sqrt()
        return reward - paid >= 2 * (risk + paid)

    decision = asked("reward_risk", setup, least_share="0.001")
    match decision.outcome:
        case Outcome.EXECUTE:
            assert held(Decimal(1))
        case Outcome.REDUCE:
            assert held(decision.factor)
            assert not held(decision.factor + Decimal("0.001"))
        case _:
            assert not held(Decimal("0.001"))


def test_a_price_beyond_the_stop_is_refused() -> None:
    decision = asked("reward_risk", case(stop=Decimal("100.05")))
    assert decision.outcome is Outcome.EXECUTE
    decision = asked("reward_risk", case(stop=Decimal("100.07")))
    assert decision.outcome is Outcome.REJECT
    assert "beyond the stop" in decision.rulings[0].reason


def test_without_a_cost_the_far_touch_is_taken_and_without_a_quote_the_reference() -> None:
    touch = asked("reward_risk", case(cost_at=None)).rulings[0].inputs
    assert (touch["price"], touch["basis"]) == ("100.02", "far touch, the cost is not known")
    reference = asked("reward_risk", case(quote=None)).rulings[0].inputs
    assert reference["basis"] == "reference and expected cost"
    assert reference["price"] == "100.060005"


@pytest.mark.parametrize(
    ("side", "limit", "stop", "target"), [(Side.BUY, 95, 90, 110), (Side.SELL, 105, 110, 90)]
)
@pytest.mark.parametrize("given", [{}, {"cost_at": None}, {"quote": None}])
def test_a_better_limit_price_is_what_it_would_get(
    side: Side, limit: int, stop: int, target: int, given: dict[str, Any]
) -> None:
    """1 : 3 where the order may fill at all; at the market it would be 1 : 1."""
    setup = case(side, limit=Decimal(limit), stop=Decimal(stop), target=Decimal(target), **given)
    held = asked("reward_risk", setup)
    assert (held.outcome, ratio(held)) == (Outcome.EXECUTE, 3)
    assert held.rulings[0].inputs["basis"] == "limit price"
    assert asked("reward_risk", replace(setup, limit=None)).outcome is Outcome.REJECT


def test_a_limit_beyond_the_market_does_not_make_it_worse() -> None:
    """It fills at the market's price: the limit only says how far it might go."""
    loose = asked("reward_risk", case(limit=Decimal("104.00")))
    assert loose.rulings[0].inputs == asked("reward_risk", case()).rulings[0].inputs
    alone = case(quote=None, reference=None, limit=Decimal("100.01"))
    assert asked("reward_risk", alone).rulings[0].inputs["price"] == "100.01"


@pytest.mark.parametrize("given", [{"stop": None}, {"target": None}])
def test_half_a_bracket_cannot_be_judged(given: dict[str, Any]) -> None:
    passed = asked("reward_risk", case(**given))
    assert passed.outcome is Outcome.EXECUTE
    assert passed.rulings[0].reason == f"cannot judge: the signal gives no {next(iter(given))}"
    assert asked("reward_risk", case(**given), unknown="reject").outcome is Outcome.REJECT
    nothing = case(quote=None, reference=None)
    assert "there is no price" in asked("reward_risk", nothing).rulings[0].reason
