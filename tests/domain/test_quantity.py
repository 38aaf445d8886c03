"""Splits never lose a share; ticks never cost one."""

from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.quantity import (
    Side,
    ceil_to,
    digits,
    floor_to,
    is_multiple,
    passive_tick,
    split,
)

D = Decimal

lots = st.sampled_from([D("0.001"), D("0.00000001"), D("0.1"), D(1), D(7), D(100)])
totals = st.decimals(min_value=0, max_value=D(10) ** 15, places=8)
counts = st.integers(1, 1000)
weights = st.lists(st.floats(0, 1e12), min_size=1, max_size=60).filter(lambda w: sum(w) > 0)
minimums = st.sampled_from([D(0), D("0.5"), D(1), D(99), D(250), D(100_000)])


def equal(total: str | int, count: int, lot: str | int = 1, minimum: str | int = 0) -> list[int]:
    slices = split(D(total), [1.0] * count, lot=D(lot), minimum=D(minimum))
    return [int(size) for size in slices]


@pytest.mark.parametrize(
    ("total", "count", "lot", "expected"),
    [
        (1003, 10, 1, [100, 101, 100, 100, 101, 100, 100, 100, 101, 100]),
        (1000, 7, 1, [143] * 3 + [142] + [143] * 3),
        (1003, 10, 100, [100] * 9 + [103]),
        (3, 5, 1, [1, 0, 1, 0, 1]),
        (50, 4, 100, [0, 0, 0, 50]),
        (0, 3, 1, [0, 0, 0]),
    ],
)
def test_rounding_fixtures(total: int, count: int, lot: int, expected: list[int]) -> None:
    assert equal(total, count, lot) == expected


@pytest.mark.parametrize(
    ("total", "count", "minimum", "expected"),
    [
        (1000, 10, 250, [0, 0, 300, 0, 0, 300, 0, 0, 400, 0]),
        (1000, 10, 100, [100] * 10),
        (1000, 10, 101, [0, 200, 0, 200, 0, 200, 0, 200, 0, 200]),
        (100, 3, 50, [0, 50, 50]),
        (90, 3, 100, [0, 0, 90]),
        (4, 10, 2, [0, 0, 0, 2, 0, 0, 0, 0, 2, 0]),
    ],
)
def test_small_slices_are_merged(total: int, count: int, minimum: int, expected: list[int]) -> None:
    assert equal(total, count, minimum=minimum) == expected


def test_weights_decide_the_sizes() -> None:
    assert split(D(100), [3, 0, 1], lot=D(1)) == [D(75), D(0), D(25)]
    assert split(D("0.010"), [1, 1, 2], lot=D("0.001")) == [D("0.003"), D("0.002"), D("0.005")]


@pytest.mark.parametrize("bad", [[], [0.0], [1.0, -0.1]])
def test_unusable_weights_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(D(10), bad, lot=D(1))


@given(totals, weights, lots, minimums)
@example(D(10) ** 15, [1.0] * 60, D("0.001"), D(0))
@example(D("999999999999999.999"), [1e-300, 1.0, 1e12], D("0.001"), D(99))
def test_a_split_sums_to_its_total(
    total: Decimal, shares: list[float], lot: Decimal, minimum: Decimal
) -> None:
    slices = split(total, shares, lot=lot, minimum=minimum)
    assert sum(slices) == total
    assert len(slices) == len(shares)
    assert min(slices) >= 0
    assert sum(1 for size in slices if not is_multiple(size, lot)) <= 1


@given(totals, weights, lots, minimums)
def test_no_slice_is_below_the_minimum(
    total: Decimal, shares: list[float], lot: Decimal, minimum: Decimal
) -> None:
    trading = [s for s in split(total, shares, lot=lot, minimum=minimum) if s > 0]
    if total >= minimum:
        assert all(size >= minimum for size in trading)
    else:
        assert trading in ([], [total])


@given(totals, weights, lots)
def test_each_slice_is_within_a_lot_of_its_share(
    total: Decimal, shares: list[float], lot: Decimal
) -> None:
    whole = floor_to(total, lot)
    slices = split(whole, shares, lot=lot)
    mass = sum(D(w) for w in shares)
    for size, share in zip(slices, shares, strict=True):
        # Weights are floats: exact up to their own rounding.
        assert abs(size - whole * D(share) / mass) <= lot + whole * D("1e-12")


@given(totals, counts, lots)
@example(D(10) ** 15, 1000, D("0.001"))
def test_equal_weights_differ_by_one_lot(total: Decimal, count: int, lot: Decimal) -> None:
    whole = floor_to(total, lot)
    slices = split(whole, [1.0] * count, lot=lot)
    assert max(slices) - min(slices) <= lot
    for number, due in enumerate(accumulate(slices), start=1):
        assert abs(due - whole * number / count) <= lot / 2 + whole * D("1e-12")


@given(totals, st.integers(1, 500), lots)
def test_twice_as_many_slices_pair_up(total: Decimal, count: int, lot: Decimal) -> None:
    whole = floor_to(total, lot)
    coarse = split(whole, [1.0] * count, lot=lot)
    fine = split(whole, [1.0] * (2 * count), lot=lot)
    pairs = [a + b for a, b in zip(fine[::2], fine[1::2], strict=True)]
    assert all(abs(a - b) <= lot for a, b in zip(coarse, pairs, strict=True))


@given(st.integers(1, 10**9), counts, st.integers(1, 10**6))
@example(100, 3, 50)
def test_merging_never_makes_one_big_slice(total: int, count: int, minimum: int) -> None:
    trading = [size for size in equal(total, count, minimum=minimum) if size > 0]
    if count > 1 and total >= 2 * minimum:
        assert len(trading) >= 2
    if count > 1 and total >= 2 * minimum and minimum * count > total:
        assert max(trading) < 2 * minimum + total // count + 1
    assert equal(total, 1, minimum=minimum) == [total]


@given(st.decimals(0, 10**9, places=6), st.sampled_from([D("0.01"), D("0.05"), D("0.0001"), D(5)]))
def test_a_passive_tick_is_never_worse(price: Decimal, tick: Decimal) -> None:
    buy, sell = (passive_tick(price, tick, side) for side in Side)
    assert price - tick < buy <= price <= sell < price + tick
    assert is_multiple(buy, tick)
    assert is_multiple(sell, tick)
    assert buy == floor_to(price, tick)
    assert sell == ceil_to(price, tick)


def test_sides_mirror() -> None:
    assert [side.sign for side in Side] == [1, -1]
    assert [side.other for side in Side] == [Side.SELL, Side.BUY]


@given(st.decimals(allow_nan=False, allow_infinity=False))
@example(D("1E+3"))
@example(D("-0E-7"))
@example(D("0.0000001"))
def test_digits_are_all_of_it(value: Decimal) -> None:
    assert digits(value) == format(value, "f")
    assert D(digits(value)) == value
