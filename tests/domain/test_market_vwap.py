"""The market's volume-weighted price over an interval: what it must be, whatever was traded."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import Instant
from app.domain.tape import Tape
from app.domain.tape_build import Trades, build_tape

END = 100
Print = tuple[Instant, int, int]

prints = st.lists(
    st.tuples(st.integers(1, END), st.integers(1, 10_000), st.integers(1, 1000)),
    min_size=1,
    max_size=30,
)


def tape(rows: list[Print]) -> Tape:
    """Prices in hundredths. Prints of one moment keep the order in which they are given."""
    ordered = sorted(rows, key=lambda row: row[0])
    at, price, size = zip(*ordered, strict=True)
    trades = Trades(at, price, size)
    return build_tape("A", price_scale=100, size_scale=1, since=0, until=END, trades=trades)


def vwap(rows: list[Print]) -> Decimal:
    found = tape(rows).traded(0, END).vwap
    assert found is not None
    return found


@given(prints)
def test_it_lies_between_the_lowest_and_the_highest_print(rows: list[Print]) -> None:
    prices = [Decimal(price) / 100 for _, price, _ in rows]
    assert min(prices) <= vwap(rows) <= max(prices)


@given(prints, st.data())
def test_splitting_a_print_changes_nothing(rows: list[Print], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(rows) - 1))
    at, price, size = rows[k]
    first = data.draw(st.integers(0, size))
    parts = [(at, price, part) for part in (first, size - first) if part]
    assert vwap([*rows[:k], *parts, *rows[k + 1 :]]) == vwap(rows)


@given(prints, st.randoms(use_true_random=False))
def test_the_order_of_prints_changes_nothing(rows: list[Print], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    times = [at for at, _, _ in rows]
    random.shuffle(times)
    moved = [(at, price, size) for at, (_, price, size) in zip(times, shuffled, strict=True)]
    assert vwap(moved) == vwap(rows)


@given(prints, st.integers(2, 50))
def test_the_unit_of_volume_changes_nothing(rows: list[Print], factor: int) -> None:
    scaled = [(at, price, size * factor) for at, price, size in rows]
    assert vwap(scaled) == pytest.approx(vwap(rows), rel=Decimal("1e-20"))


@given(st.lists(st.integers(1, 10_000), min_size=END, max_size=END), st.integers(1, 1000))
def test_with_constant_volume_it_is_the_mean_over_time(prices: list[int], size: int) -> None:
    rows = [(at + 1, price, size) for at, price in enumerate(prices)]
    twap = sum(Decimal(price) / 100 for price in prices) / END
    assert vwap(rows) == pytest.approx(twap, rel=Decimal("1e-20"))


def test_where_nothing_traded_there_is_none() -> None:
    assert tape([(50, 100, 1)]).traded(50, END).vwap is None
