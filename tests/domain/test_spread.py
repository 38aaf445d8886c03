"""Spread, impact, mark-outs, reversion and resting children."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import MINUTE, Instant
from app.domain.quantity import Side
from app.domain.tca.spread import (
    HORIZONS,
    Execution,
    Mark,
    aftermath,
    resting,
    reversion,
    spread,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
mids = st.decimals("1", "10000", places=4)


def marks(**mids: str) -> Mapping[Instant, Mark]:
    """`m0="100"`: the mid is 100 at minute 0."""
    return {
        int(name[1:]) * MINUTE: Mark(int(name[1:]) * MINUTE, D(mid) - 1, D(mid) + 1)
        for name, mid in mids.items()
    }


def bought(price: str, qty: int = 100, at: Instant = 0, side: Side = BUY) -> Execution:
    return Execution(at, side, D(qty), D(price), "cross")


def test_the_published_spread() -> None:
    """quant.md §2.4: mid 100.00, buy 100.005, later mid 100.02."""
    found = spread(BUY, D("100.005"), D("100.00"), D("100.02"))
    assert (found.effective, found.impact, found.realised) == (1, 4, -3)


@given(mids, mids, mids)
def test_sides_mirror_and_parts_add_up(price: Decimal, mid: Decimal, later: Decimal) -> None:
    buy, sell = spread(BUY, price, mid, later), spread(SELL, price, mid, later)
    assert buy.effective == buy.realised + buy.impact or abs(
        buy.effective - buy.realised - buy.impact
    ) < D("1e-18")
    assert (buy.effective, buy.impact, buy.realised) == (
        -sell.effective, -sell.impact, -sell.realised,
    )  # fmt: skip


def test_figures_are_weighted_by_quantity_and_a_markout_is_half_of_what_was_realised() -> None:
    fills = [bought("100.01", 100), bought("100.03", 300)]
    found = aftermath(fills, marks(m0="100", m1="100", m5="99"))
    assert found.effective.bps == D(5)
    assert (found.fills, found.qty, found.effective.weight) == (2, 400, 400)
    at_one, at_five = found.realised
    assert at_one.bps == 5
    assert at_five.bps == 5 + 200
    assert [m.bps for m in found.markout] == [D("2.5"), D("102.5")]


@given(
    st.lists(st.tuples(mids, st.integers(1, 1000)), min_size=1, max_size=5),
    st.data(),
)
def test_splitting_or_reordering_fills_changes_nothing(
    prices: list[tuple[Decimal, int]], data: st.DataObject
) -> None:
    of = marks(m0="100", m1="101", m5="99")
    fills = [bought(str(p), q) for p, q in prices]
    found = aftermath(fills, of)
    first = fills[0]
    half = D(first.qty) / 2
    halves = [Execution(0, BUY, half, first.price, "cross")] * 2
    again = aftermath(data.draw(st.permutations([*halves, *fills[1:]])), of)
    assert found.qty == again.qty
    for one, other in zip(
        (found.effective, *found.realised), (again.effective, *again.realised), strict=True
    ):
        assert one.bps is not None
        assert other.bps is not None
        assert abs(one.bps - other.bps) < D("1e-15")


def test_fills_without_a_mark_do_not_count_and_none_gives_a_reason() -> None:
    seen = marks(m0="100", m1="101")
    found = aftermath([bought("100.01"), bought("200", at=MINUTE)], seen)
    assert found.effective.weight == 200
    assert found.realised[0].weight == 100
    assert (found.realised[1].bps, found.realised[1].reason) == (None, "not_captured")
    closed = dict(seen) | {5 * MINUTE: Mark(5 * MINUTE, None, None, "after_close")}
    assert aftermath([bought("100.01")], closed).realised[1].reason == "after_close"
    assert aftermath([], seen).effective.reason == "nothing was filled"


@pytest.mark.parametrize(("side", "later", "bps"), [(BUY, "99", 100), (SELL, "99", -100)])
def test_a_price_that_comes_back_was_a_cost(side: Side, later: str, bps: int) -> None:
    of = marks(m3="100", m4=later)
    assert reversion(side, 3 * MINUTE, of, HORIZONS[0]).bps == bps
    assert reversion(side, 3 * MINUTE, of, HORIZONS[1]).reason == "not_captured"
    assert reversion(side, None, of, HORIZONS[0]).reason == "nothing was filled"


def test_resting_children_by_quantity() -> None:
    found = resting([(D(100), D(100)), (D(300), D(20)), (D(100), D(0))])
    assert (found.children, found.touched, found.probability) == (3, 2, D("0.24"))
    assert resting([]).probability is None
