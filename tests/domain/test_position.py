"""Positions by average cost: a ledger of fills that adds up to the cash."""

from decimal import Decimal
from fractions import Fraction
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.position import Position, with_fill
from app.domain.quantity import ZERO, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
Fill = tuple[Side, Decimal, Decimal, Decimal]

fills = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.decimals("0.001", "100000", places=3),
        st.decimals("0.01", "10000", places=2),
        st.decimals("-5", "5", places=4),
    ),
    max_size=25,
)
CENT_OF_A_CENT = Fraction(1, 10_000)


def one(side: Side, qty: str | int, price: str | int, fee: str | int = 0) -> Fill:
    return side, D(qty), D(price), D(fee)


def after(*done: Fill, start: Position = Position()) -> Position:  # noqa: B008 — frozen
    return reduce(lambda p, f: with_fill(p, side=f[0], qty=f[1], price=f[2], fee=f[3]), done, start)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ([], (0, 0, 0)),
        ([one(BUY, 100, 10)], (100, 10, 0)),
        ([one(BUY, 100, 10), one(BUY, 300, 12)], (400, "11.5", 0)),
        ([one(BUY, 100, 10), one(SELL, 40, 12)], (60, 10, 80)),
        ([one(BUY, 100, 10), one(SELL, 40, 9)], (60, 10, -40)),
        ([one(BUY, 100, 10), one(SELL, 100, 12)], (0, 0, 200)),
        ([one(BUY, 100, 10), one(SELL, 150, 12)], (-50, 12, 200)),
        ([one(SELL, 100, 10)], (-100, 10, 0)),
        ([one(SELL, 100, 10), one(SELL, 100, 12)], (-200, 11, 0)),
        ([one(SELL, 100, 10), one(BUY, 40, 9)], (-60, 10, 40)),
        ([one(SELL, 100, 10), one(BUY, 100, 12)], (0, 0, -200)),
        ([one(SELL, 100, 10), one(BUY, 130, 9)], (30, 9, 100)),
        ([one(BUY, 100, 10), one(SELL, 150, 12), one(BUY, 50, 11)], (0, 0, 250)),
    ],
)
def test_average_cost(done: list[Fill], expected: tuple[str | int, ...]) -> None:
    qty, average, realised = (D(number) for number in expected)
    assert after(*done) == Position(qty, average, realised, ZERO)


def test_fees_and_rebates_add_up_beside_the_profit() -> None:
    held = after(one(BUY, 100, 10, "0.35"), one(SELL, 100, 10, "-0.05"))
    assert held == Position(ZERO, ZERO, ZERO, D("0.30"))


@given(fills, st.decimals("0.01", "10000", places=2))
def test_realised_and_unrealised_are_the_cash(done: list[Fill], mark: Decimal) -> None:
    held = after(*done)
    cash = sum((-s.sign * Fraction(q) * Fraction(p) for s, q, p, _ in done), Fraction(0))
    unrealised = Fraction(held.qty) * (Fraction(mark) - Fraction(held.average_price))
    worth = Fraction(held.qty) * Fraction(mark)
    assert abs(Fraction(held.realised) + unrealised - (cash + worth)) < CENT_OF_A_CENT
    assert held.qty == sum((s.sign * q for s, q, _, _ in done), ZERO)
    assert held.fees == sum((f for *_, f in done), ZERO)


@given(fills)
def test_an_average_lies_within_the_prices_paid_on_that_side(done: list[Fill]) -> None:
    held = after(*done)
    if held.qty == 0:
        assert held.average_price == 0
        return
    side = BUY if held.qty > 0 else SELL
    paid = [p for s, _, p, _ in done if s is side]
    tiny = D("1E-15")
    assert min(paid) - tiny <= held.average_price <= max(paid) + tiny


@given(fills)
def test_the_other_side_of_every_trade_is_the_mirror(done: list[Fill]) -> None:
    held = after(*done)
    other = after(*[(s.other, q, p, f) for s, q, p, f in done])
    assert (other.qty, other.realised) == (-held.qty, -held.realised)
    assert (other.average_price, other.fees) == (held.average_price, held.fees)


@given(fills, st.data())
def test_a_fill_in_two_parts_is_the_same_fill(done: list[Fill], data: st.DataObject) -> None:
    side, qty, price = data.draw(st.sampled_from(Side)), D(data.draw(st.integers(2, 999))), D("9.5")
    first = D(data.draw(st.integers(1, int(qty) - 1)))
    whole = after(*done, (side, qty, price, D("0.2")))
    parts = after(*done, (side, first, price, D("0.1")), (side, qty - first, price, D("0.1")))
    assert (parts.qty, parts.fees) == (whole.qty, whole.fees)
    assert abs(parts.realised - whole.realised) < D("1E-12")
    assert abs(parts.average_price - whole.average_price) < D("1E-15")
