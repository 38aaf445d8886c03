"""Limits: what passes, what asks, what is refused, whatever the numbers are."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import DAY, MINUTE, SECOND
from app.domain.quantity import ZERO, Side
from app.domain.refusal import Refusal
from app.domain.risk.bound import EVERYTHING, Bound
from app.domain.risk.judge import Outcome, Verdict, check, judge
from app.domain.risk.limit import LIMITS, Held, Scope, Unit
from app.domain.risk.usage import Holding, Proposal, Usage
from app.domain.risk.values import EASED, SPARED, VALUES, WINDOWS

D = Decimal
PLACE = (Scope.ALL, EVERYTHING)
BUY = Proposal("main", "k", "s", "ACME", Side.BUY, D(100), D(50), daily_volume=D(10_000))
NOTHING = Usage(
    entered=dict.fromkeys(WINDOWS, 0), value=dict.fromkeys(WINDOWS, ZERO), loss=ZERO, drawdown=ZERO
)


def bound(limit: str, hard: Any = None, soft: Any = None) -> Bound:
    return Bound(
        LIMITS[limit],
        Scope.ALL,
        EVERYTHING,
        None if hard is None else D(hard),
        None if soft is None else D(soft),
    )


def verdict(one: Bound, proposal: Proposal = BUY, usage: Usage = NOTHING, **more: Any) -> Verdict:
    [found] = judge(proposal, [one], {PLACE: usage}, **more)
    return found


def test_every_limit_on_orders_has_a_value() -> None:
    counted = {
        name
        for name, limit in LIMITS.items()
        if limit.held in (Held.ORDER, Held.USAGE) and limit.unit is not Unit.SECONDS
    }
    assert set(VALUES) == counted
    assert counted >= EASED | SPARED


@pytest.mark.parametrize(
    ("limit", "proposal", "usage", "value"),
    [
        ("max_order_qty", BUY, NOTHING, "100"),
        ("max_order_notional", BUY, NOTHING, "5000"),
        ("max_order_notional", BUY._replace(limit_price=D(60)), NOTHING, "6000"),
        ("max_order_notional", BUY._replace(limit_price=D(40)), NOTHING, "5000"),
        ("max_limit_distance", BUY._replace(limit_price=D(60)), NOTHING, "0.2"),
        ("max_limit_distance", BUY._replace(limit_price=D(40)), NOTHING, "0"),
        ("max_limit_distance", BUY._replace(side=Side.SELL, limit_price=D(40)), NOTHING, "0.2"),
        ("max_daily_share", BUY, NOTHING, "0.01"),
        ("max_open_orders", BUY, replace(NOTHING, open_orders=4), "5"),
        ("max_orders_1s", BUY, replace(NOTHING, entered={**NOTHING.entered, SECOND: 2}), "3"),
        ("max_orders_1m", BUY, replace(NOTHING, entered={**NOTHING.entered, MINUTE: 2}), "3"),
        ("max_notional_1d", BUY, replace(NOTHING, value={**NOTHING.value, DAY: D(7)}), "5007"),
        ("max_daily_loss", BUY, replace(NOTHING, loss=D(9)), "9"),
        ("max_drawdown", BUY, replace(NOTHING, drawdown=D(-9)), "0"),
    ],
)
def test_what_each_limit_counts(limit: str, proposal: Proposal, usage: Usage, value: str) -> None:
    assert verdict(bound(limit, "1E+9"), proposal, usage).value == D(value)
    assert verdict(bound(limit, value), proposal, usage).outcome is Outcome.PASS
    if D(value) > 0:
        just = D(value) - D("0.0001")
        assert verdict(bound(limit, just), proposal, usage).outcome is Outcome.REFUSE


def held(qty: Any, buying: Any = 0, selling: Any = 0, symbol: str = "ACME") -> Holding:
    return Holding("main", symbol, D(qty), D(buying), D(selling), D(50))


@pytest.mark.parametrize(
    ("limit", "holdings", "side", "value"),
    [
        ("max_position_qty", [held(40, buying=10, selling=200)], Side.BUY, "160"),
        ("max_position_qty", [held(40, buying=10)], Side.SELL, "60"),
        ("max_gross_exposure", [held(40), held(-30, symbol="XYZ")], Side.BUY, "8500"),
        ("max_net_exposure", [held(40), held(-30, symbol="XYZ")], Side.BUY, "5500"),
        ("max_net_exposure", [held(40), held(-30, symbol="XYZ")], Side.SELL, "4500"),
    ],
)
def test_exposure_counts_what_is_open_at_its_worse_side(
    limit: str, holdings: list[Holding], side: Side, value: str
) -> None:
    usage = replace(NOTHING, holdings=tuple(holdings))
    assert verdict(bound(limit, "1E+9"), BUY._replace(side=side), usage).value == D(value)


@pytest.mark.parametrize(
    ("limit", "proposal", "usage"),
    [
        ("max_daily_share", BUY._replace(daily_volume=None), NOTHING),
        ("max_daily_share", BUY._replace(daily_volume=ZERO), NOTHING),
        ("max_daily_loss", BUY, replace(NOTHING, loss=None)),
        ("max_drawdown", BUY, replace(NOTHING, drawdown=None)),
        (
            "max_gross_exposure",
            BUY,
            replace(NOTHING, holdings=(replace(held(5, symbol="LOST"), price=None),)),
        ),
    ],
)
def test_what_is_not_known_is_refused(limit: str, proposal: Proposal, usage: Usage) -> None:
    found = verdict(bound(limit, "1E+9"), proposal, usage)
    assert (found.outcome, found.value) == (Outcome.REFUSE, None)
    assert found.reason
    with pytest.raises(Refusal) as refused:
        check([found], "qty")
    assert refused.value.code == f"risk.{limit}"


amounts = st.decimals("0.01", "1000000", places=2)
signed = st.decimals("-1000000", "1000000", places=2)
holdings = st.builds(
    Holding,
    st.just("main"),
    st.sampled_from(["ACME", "XYZ", "LOST"]),
    signed,
    amounts | st.just(ZERO),
    amounts | st.just(ZERO),
    st.none() | amounts,
    amounts | st.just(ZERO),
    amounts | st.just(ZERO),
)
usages = st.builds(
    Usage,
    st.integers(0, 100),
    st.fixed_dictionaries({w: st.integers(0, 100) for w in WINDOWS}),
    st.fixed_dictionaries({w: amounts | st.just(ZERO) for w in WINDOWS}),
    st.lists(holdings, max_size=3, unique_by=lambda h: h.symbol).map(tuple),
    st.none() | st.integers(0, DAY),
    st.none() | signed,
    st.none() | signed,
)
proposals = st.builds(
    Proposal,
    st.just("main"),
    st.just("k"),
    st.none(),
    st.just("ACME"),
    st.sampled_from(Side),
    amounts,
    amounts,
    st.none() | amounts,
    st.none() | amounts,
    st.booleans(),
    st.none(),
)
on_orders = sorted(n for n, limit in LIMITS.items() if limit.held in (Held.ORDER, Held.USAGE))


@given(proposals, usages, st.sampled_from(on_orders), st.none() | amounts, st.none() | amounts)
def test_nothing_beyond_a_hard_limit_passes_whatever_is_confirmed(
    proposal: Proposal, usage: Usage, limit: str, hard: Decimal | None, soft: Decimal | None
) -> None:
    one = bound(limit, hard, soft)
    everything = frozenset(LIMITS)
    found, confirmed = (
        verdict(one, proposal, usage),
        verdict(one, proposal, usage, confirmed=everything),
    )
    # A confirmation turns a question into a yes, and nothing else.
    asked = {Outcome.CONFIRM: Outcome.CONFIRMED}
    assert confirmed.outcome is asked.get(found.outcome, found.outcome)
    if found.outcome is Outcome.REFUSE or found.reason is not None or found.value is None:
        return
    if one.limit.unit is Unit.SECONDS:
        assert hard is None or found.value >= hard
    elif one.limit.unit is Unit.FLAG:
        assert not hard or found.value == 0
    else:
        assert hard is None or found.value <= hard


@given(proposals, usages, st.sampled_from(sorted(EASED)), amounts)
def test_what_is_beyond_a_limit_on_positions_passes_only_where_nothing_gets_worse(
    proposal: Proposal, usage: Usage, limit: str, hard: Decimal
) -> None:
    found = verdict(bound(limit, hard), proposal, usage)
    if found.outcome is Outcome.PASS and found.value is not None and found.value > hard:
        assert found.value <= VALUES[limit](proposal, usage.valued(proposal))
        mine = usage.holding(proposal)
        assert proposal.reduce_only or mine is not None
        if mine is not None and not proposal.reduce_only:
            after = usage.with_order(proposal).holding(proposal)
            assert after is not None
            assert after.least >= 0 if proposal.side is Side.SELL else after.most <= 0


@given(proposals, usages)
def test_no_sale_leads_below_nothing_where_no_short_is_set(
    proposal: Proposal, usage: Usage
) -> None:
    passed = verdict(bound("no_short", 1), proposal, usage).outcome is Outcome.PASS
    after = usage.with_order(proposal).holding(proposal)
    least = after.least if after is not None else ZERO
    assert passed == (proposal.reduce_only or proposal.side is Side.BUY or least >= 0)


SELL = BUY._replace(side=Side.SELL)
SHORT, CLOSING = held(-1), replace(held(100), closing=D(100))


@pytest.mark.parametrize(
    ("limit", "hard", "proposal", "holding", "outcome"),
    [
        # Short already is no leave to be shorter.
        ("no_short", 1, SELL._replace(qty=D(50_000)), SHORT, Outcome.REFUSE),
        # What an order takes that only reduces, no other can sell once more.
        ("no_short", 1, SELL, CLOSING, Outcome.REFUSE),
        ("no_short", 1, SELL, replace(CLOSING, closing=D("1E+6")), Outcome.REFUSE),
        ("no_short", 1, SELL, replace(held(200), closing=D(100)), Outcome.PASS),
        ("max_daily_loss", 1, SELL, CLOSING, Outcome.REFUSE),
        # Beyond a limit, taking back passes, and turning round does not.
        ("max_position_qty", 100, SELL._replace(qty=D(101)), held(101), Outcome.PASS),
        ("max_position_qty", 100, SELL._replace(qty=D(202)), held(101), Outcome.REFUSE),
        ("max_position_qty", 100, SELL._replace(qty=D(1000)), held(0, 1000), Outcome.REFUSE),
        # The same shares have one price, before and after.
        (
            "max_gross_exposure",
            90_000,
            SELL._replace(qty=D(400), reference=D(100), limit_price=D(101)),
            replace(held(1000), price=D(100)),
            Outcome.PASS,
        ),
    ],
)
def test_positions_that_are_beyond_a_limit_already(
    limit: str, hard: int, proposal: Proposal, holding: Holding, outcome: Outcome
) -> None:
    usage = replace(NOTHING, holdings=(holding,), loss=D(2))
    assert verdict(bound(limit, hard), proposal, usage).outcome is outcome


def test_an_unknown_price_elsewhere_keeps_nobody_from_getting_out() -> None:
    lost = replace(held(5, symbol="LOST"), price=None)
    usage = replace(NOTHING, holdings=(lost, held(100)))
    gross = bound("max_gross_exposure", 1)
    assert verdict(gross, SELL, usage).outcome is Outcome.PASS
    assert verdict(gross, SELL._replace(qty=D(101)), usage).outcome is Outcome.REFUSE


@given(proposals, usages)
def test_an_order_that_only_reduces_adds_to_no_exposure(proposal: Proposal, usage: Usage) -> None:
    reduces = proposal._replace(reduce_only=True)
    assert usage.with_order(reduces).holdings == usage.holdings


@given(proposals, usages)
def test_counting_orders_one_by_one_is_counting_them(proposal: Proposal, usage: Usage) -> None:
    twice = usage.with_order(proposal).with_order(proposal)
    assert twice.open_orders == usage.open_orders + 2
    assert all(twice.value[w] == usage.value[w] + 2 * proposal.value for w in WINDOWS)
    open_now = sum((h.buying + h.selling for h in usage.holdings), ZERO)
    added = ZERO if proposal.reduce_only else 2 * proposal.qty
    assert sum((h.buying + h.selling for h in twice.holdings), ZERO) == open_now + added
