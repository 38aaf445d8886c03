"""Implementation shortfall: the published items, and that its parts always sum to it."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.quantity import Side
from app.domain.tca.shortfall import Asked, Price, Shortfall, shortfall

D = Decimal
BUY, SELL = Side.BUY, Side.SELL

mids = st.decimals("0.01", "100000", places=6)
qtys = st.decimals("0.000001", "1000000", places=6)
fees = st.decimals("-1000", "1000", places=4)


def price(mid: str | Decimal | None, reason: str | None = None) -> Price:
    return Price(D(mid) if mid is not None else None, reason)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Asked, Price, Price, Price]:
    """An order of any size, filled in any part (or beyond it), at any prices."""
    ordered = draw(qtys)
    filled = draw(st.one_of(st.just(D(0)), st.just(ordered), qtys))
    average = draw(mids)
    asked = Asked(draw(st.sampled_from(Side)), ordered, filled, filled * average, draw(fees))
    return asked, Price(draw(mids)), Price(draw(mids)), Price(draw(mids))


def whole(found: Shortfall) -> tuple[Decimal, ...]:
    parts = (found.delay, found.execution, found.opportunity, found.fees)
    assert all(part.money is not None for part in parts)
    return tuple(part.money for part in parts if part.money is not None)


@pytest.mark.parametrize(
    ("fill", "decision", "revised", "cancel", "paid", "percent"),
    [
        # quant.md §3b: delay, execution, opportunity, fees, total, in per cent.
        ("40.05", "40", "40.04", "40.08", "17", ("0.07", "0.0175", "0.06", "0.0425", "0.19")),
        ("10.07", "10", "10.05", "10.08", "14", ("0.35", "0.14", "0.24", "0.14", "0.87")),
    ],
)
def test_the_published_items(
    fill: str, decision: str, revised: str, cancel: str, paid: str, percent: tuple[str, ...]
) -> None:
    asked = Asked(BUY, D(1000), D(700), D(700) * D(fill), D(paid))
    found = shortfall(asked, price(decision), price(revised), price(cancel))
    parts = (found.delay, found.execution, found.opportunity, found.fees, found.total)
    assert tuple(part.bps for part in parts) == tuple(D(p) * 100 for p in percent)


def test_the_ten_dollar_item_is_paper_minus_actual() -> None:
    asked = Asked(BUY, D(1000), D(700), D(700) * D("10.07"), D(14))
    found = shortfall(asked, price("10"), price("10.05"), price("10.08"))
    assert found.total.money == 80 - (-7)
    assert found.trading.money == D(700) * D("0.07")


@given(orders())
def test_the_parts_sum_to_the_total_exactly(of: tuple[Asked, Price, Price, Price]) -> None:
    asked, decision, begin, end = of
    found = shortfall(asked, decision, begin, end)
    assert decision.mid is not None
    assert end.mid is not None
    assert sum(map(Fraction, whole(found))) == Fraction(found.total.money or 0)
    bps = [p.bps for p in (found.delay, found.execution, found.opportunity, found.fees)]
    assert sum(map(Fraction, (b for b in bps if b is not None))) == Fraction(found.total.bps or 0)
    # And the total is paper return minus actual return, worked out without the parts.
    sign, unfilled = asked.side.sign, max(asked.ordered - asked.filled, D(0))
    done = asked.filled + unfilled
    paper = sign * Fraction(done) * (Fraction(end.mid) - Fraction(decision.mid))
    worth = Fraction(asked.filled) * Fraction(end.mid) - Fraction(asked.notional)
    actual = sign * worth - Fraction(asked.fees)
    assert Fraction(found.total.money or 0) == paper - actual
    exact = (paper - actual) / (Fraction(asked.ordered) * Fraction(decision.mid)) * 10_000
    assert abs(Fraction(found.total.bps or 0) - exact) <= Fraction(3, 10**6)


@given(orders())
def test_mirrored_paths_cost_the_same(of: tuple[Asked, Price, Price, Price]) -> None:
    """A sell in a market that does the opposite costs what the buy does."""
    asked, *prices = of
    axis = D(1_000_000)
    mirrored = [Price(2 * axis - (p.mid or 0)) for p in prices]
    other = replace(asked, side=asked.side.other, notional=asked.filled * 2 * axis - asked.notional)
    assert whole(shortfall(asked, *prices)) == whole(shortfall(other, *mirrored))


@given(orders(), st.integers(1, 50))
def test_a_share_split_leaves_the_basis_points(
    of: tuple[Asked, Price, Price, Price], by: int
) -> None:
    asked, *prices = of
    smaller = [Price(p.mid) for p in prices]
    split = replace(
        asked, ordered=asked.ordered * by, filled=asked.filled * by, notional=asked.notional * by,
        fees=asked.fees * by,
    )  # fmt: skip
    found, again = shortfall(asked, *smaller), shortfall(split, *smaller)
    assert found.total.bps == again.total.bps
    assert again.total.money == (found.total.money or 0) * by


@given(qtys, mids, st.sampled_from(Side))
def test_an_unfilled_order_at_an_unchanged_price_costs_nothing(
    ordered: Decimal, mid: Decimal, side: Side
) -> None:
    asked = Asked(side, ordered, D(0), D(0), D(0))
    found = shortfall(asked, Price(mid), Price(None, "nothing was sent"), Price(mid))
    assert whole(found) == (0, 0, 0, 0)
    assert found.total.bps == 0


def test_what_ran_away_is_a_cost_and_what_came_back_a_gain() -> None:
    asked = Asked(BUY, D(100), D(0), D(0), D(0))
    away = shortfall(asked, price("50"), price(None), price("51"))
    assert away.opportunity.money == away.total.money == 100
    assert (
        shortfall(replace(asked, side=SELL), price("50"), price(None), price("51")).total.money
        == -100
    )


def test_without_the_decision_price_only_fees_are_known() -> None:
    asked = Asked(BUY, D(100), D(50), D(5000), D(3))
    found = shortfall(asked, price(None, "no quote at acceptance"), price("100"), price("101"))
    assert found.fees.money == 3
    for part in (found.delay, found.execution, found.opportunity, found.trading, found.total):
        assert (part.money, part.bps, part.reason) == (None, None, "no quote at acceptance")


def test_without_the_beginning_trading_cost_stays_known_as_a_whole() -> None:
    asked = Asked(BUY, D(100), D(50), D(5050), D(3))
    found = shortfall(asked, price("100"), price(None, "not_captured"), price("102"))
    assert (found.delay.money, found.execution.money) == (None, None)
    assert found.delay.reason == found.execution.reason == "not_captured"
    assert (found.trading.money, found.opportunity.money) == (50, 100)
    assert found.total.money == 153


def test_without_the_end_an_unfilled_rest_has_no_price() -> None:
    asked = Asked(BUY, D(100), D(50), D(5050), D(3))
    found = shortfall(asked, price("100"), price("101"), price(None, "after_close"))
    assert (found.opportunity.money, found.total.money) == (None, None)
    assert found.total.reason == "after_close"
    full = replace(asked, filled=D(100), notional=D(10100))
    assert (
        shortfall(full, price("100"), price("101"), price(None, "after_close")).total.money == 103
    )


def test_money_is_exact_beyond_what_decimals_usually_keep() -> None:
    qty, mid = D("123456789012.123456789"), D("98765.123456789")
    asked = Asked(BUY, 2 * qty, qty, qty, D("0.000000001"))
    found = shortfall(asked, Price(mid), Price(mid + D("1e-9")), Price(mid - D("1e-9")))
    parts = sum(map(Fraction, whole(found)))
    exact = Fraction(qty) - Fraction(qty) * Fraction(mid)
    exact += Fraction(qty) * Fraction(-1, 10**9) + Fraction(1, 10**9)
    assert parts == Fraction(found.total.money or 0) == exact
