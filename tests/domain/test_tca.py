"""Costs against the published fixtures, signs, and what is not known."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.market import Traded
from app.domain.quantity import Side
from app.domain.tca import Outcome, Slippage, measure, slippage_bps

D = Decimal
BUY, SELL = Side.BUY, Side.SELL

PRINTS = [("100.00", 200), ("100.10", 300), ("99.90", 500)]
"""shared/reference/quant.md §3b: VWAP 99.98, mean price 100.00."""

prices = st.decimals("0.01", "100000", places=2)
sizes = st.integers(1, 10**6).map(D)


def traded(prints: list[tuple[str, int]] = PRINTS) -> Traded:
    volume = sum(size for _, size in prints)
    return Traded(D(volume), sum((D(price) * size for price, size in prints), D(0)))


def cost(
    side: Side = BUY,
    fills: list[tuple[Decimal, Decimal]] | None = None,
    *,
    arrival: Decimal | None = None,
    market: Traded | None = None,
) -> Outcome:
    """The outcome of (price, quantity) fills."""
    fills = [(D("100.03"), D(100))] if fills is None else fills
    return measure(
        side=side,
        filled=sum((qty for _, qty in fills), D(0)),
        filled_notional=sum((price * qty for price, qty in fills), D(0)),
        fees=D("0.35"),
        arrival_mid=arrival,
        market=market,
    )


def known(slippage: Slippage) -> tuple[Decimal, Decimal]:
    assert slippage.bps is not None
    assert slippage.money is not None
    return slippage.bps, slippage.money


@pytest.mark.parametrize(("side", "bps", "money"), [(BUY, "5.001", "5"), (SELL, "-5.001", "-5")])
def test_the_published_vwap(side: Side, bps: str, money: str) -> None:
    outcome = cost(side, market=traded())
    assert outcome.interval_vwap.benchmark == D("99.98")
    found, paid = known(outcome.interval_vwap)
    assert round(found, 3) == D(bps)
    assert paid == D(money)
    assert outcome.interval_vwap.reason is None


@pytest.mark.parametrize(
    ("side", "price", "arrival", "bps"),
    [
        (BUY, "100.05", "100", "5"),
        (BUY, "99.95", "100", "-5"),
        (SELL, "99.95", "100", "5"),
        (SELL, "100.05", "100", "-5"),
        (BUY, "100", "100", "0"),
        (SELL, "40.05", "40", "-12.5"),
        (BUY, "40.05", "40", "12.5"),
    ],
)
def test_a_cost_is_positive_for_buys_and_sells(
    side: Side, price: str, arrival: str, bps: str
) -> None:
    outcome = cost(side, [(D(price), D(700))], arrival=D(arrival))
    assert known(outcome.arrival) == (D(bps), side.sign * (D(price) - D(arrival)) * 700)
    assert slippage_bps(side, D(price), D(arrival)) == D(bps)


@given(prices, prices, sizes)
def test_sides_mirror_and_money_is_what_the_basis_points_say(
    price: Decimal, benchmark: Decimal, qty: Decimal
) -> None:
    bought = known(cost(BUY, [(price, qty)], arrival=benchmark).arrival)
    sold = known(cost(SELL, [(price, qty)], arrival=benchmark).arrival)
    assert bought == (-sold[0], -sold[1])
    exact = Fraction(price - benchmark) * Fraction(qty)
    assert abs(Fraction(bought[1]) - exact) <= abs(exact) / 10**20 + Fraction(1, 10**12)
    by_bps = Fraction(bought[0]) / 10_000 * Fraction(benchmark) * Fraction(qty)
    assert abs(by_bps - exact) <= abs(exact) / 10**15 + Fraction(1, 10**9)


@given(
    st.lists(st.tuples(prices, sizes), min_size=1, max_size=6),
    st.data(),
    st.sampled_from(Side),
)
def test_splitting_or_reordering_fills_changes_nothing(
    fills: list[tuple[Decimal, Decimal]], data: st.DataObject, side: Side
) -> None:
    market = traded()
    whole = cost(side, fills, arrival=D("100"), market=market)
    chosen = data.draw(st.integers(0, len(fills) - 1))
    price, qty = fills[chosen]
    part = data.draw(st.integers(0, int(qty)))
    split = [*fills[:chosen], (price, D(part)), (price, qty - part), *fills[chosen + 1 :]]
    assert cost(side, data.draw(st.permutations(split)), arrival=D(100), market=market) == whole


def test_a_market_print_split_in_two_leaves_the_vwap() -> None:
    halves = [("100.00", 200), ("100.10", 100), ("100.10", 200), ("99.90", 500)]
    assert traded(halves) == traded()


def test_what_is_not_known_is_none_with_a_reason() -> None:
    outcome = cost()
    assert outcome.arrival == Slippage(None, None, None, "no quote at arrival")
    assert outcome.interval_vwap == Slippage(None, None, None, "no market volume was recorded")
    assert outcome.participation is None
    silent = cost(market=Traded(D(0), D(0)))
    assert silent.interval_vwap == Slippage(None, None, None, "the market did not trade")
    assert silent.participation == 1


def test_without_a_fill_there_is_a_benchmark_and_no_cost() -> None:
    outcome = cost(BUY, [], arrival=D(100), market=traded())
    assert (outcome.filled, outcome.average_price) == (0, None)
    assert outcome.arrival == Slippage(D(100), None, None, "nothing was filled")
    assert outcome.interval_vwap == Slippage(D("99.98"), None, None, "nothing was filled")
    assert outcome.participation == 0
    assert cost(BUY, [], market=Traded(D(0), D(0))).participation is None


@pytest.mark.parametrize("wrong", ["0", "-1"])
def test_a_benchmark_that_is_no_price_gives_no_number(wrong: str) -> None:
    outcome = cost(arrival=D(wrong), market=Traded(D(10), D(wrong) * 10))
    for slippage in (outcome.arrival, outcome.interval_vwap):
        assert (slippage.bps, slippage.money) == (None, None)
        assert slippage.reason == "the benchmark is not above zero"


def test_participation_counts_the_own_volume_and_fees_stand_apart() -> None:
    """quant.md §1.3: a tenth of all is 11.11 % of the others."""
    outcome = cost(BUY, [(D(100), D(100))], arrival=D(100), market=Traded(D(900), D(90_000)))
    assert outcome.participation == D("0.1")
    assert outcome.fees == D("0.35")
    assert known(outcome.arrival) == (0, 0)
    assert outcome.average_price == 100
