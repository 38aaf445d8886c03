"""Exact arithmetic on quantities and prices: lots, ticks, and splits that never lose a share."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import accumulate, pairwise

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, −1 for a sell: multiplies a price difference into a cost."""
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


def digits(value: Decimal) -> str:
    """A decimal as text without an exponent: `format(value, "f")`, which takes twice as long."""
    text = str(value)
    return format(value, "f") if "E" in text else text


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `value`."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` not below `value`."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    return value % step == 0


def passive_tick(price: Decimal, tick: Decimal, side: Side) -> Decimal:
    """The price on the tick grid, never worse for the order: buys round down, sells up."""
    return floor_to(price, tick) if side is Side.BUY else ceil_to(price, tick)


def split(
    total: Decimal, weights: Sequence[float], *, lot: Decimal, minimum: Decimal = ZERO
) -> list[Decimal]:
    """`total` divided in proportion to `weights`, in whole lots, by rounding the running sum.

    Always sums to `total`; what is due up to any slice is never further than half a lot from its
    exact share: spare lots are spread, not sent first. The part of `total` smaller than a lot goes
    once, to the last slice that trades. A slice below `minimum` is merged into the next one (its
    own place becomes zero); the trailing remnant is filled up from the last that trades, or merged
    into it where both cannot reach `minimum`. When `total` itself is below `minimum`, one slice
    carries it.

    Raises ValueError when there is no weight, a negative one, or all are zero.
    """
    if not weights or min(weights) < 0 or sum(weights) <= 0:
        raise ValueError("a split needs weights that are not negative and not all zero")
    whole = floor_to(total, lot)
    sizes = _spread(int(whole / lot), weights)
    slices = [size * lot for size in sizes]
    _add_tail(slices, total - whole)
    _merge_small(slices, minimum, lot)
    assert sum(slices, ZERO) == total, "a split must sum to its total"
    return slices


def _spread(units: int, weights: Sequence[float]) -> list[int]:
    # Weights become integers first, so that the division is exact at any quantity.
    mass = sum(weights)
    parts = [round(weight / mass * (1 << 52)) for weight in weights]
    whole = sum(parts)
    due = [(2 * units * up_to + whole) // (2 * whole) for up_to in accumulate(parts)]
    return [after - before for before, after in pairwise([0, *due])]


def _add_tail(slices: list[Decimal], tail: Decimal) -> None:
    if tail == 0:
        return
    trading = [i for i, size in enumerate(slices) if size > 0]
    slices[trading[-1] if trading else len(slices) - 1] += tail


def _merge_small(slices: list[Decimal], minimum: Decimal, lot: Decimal) -> None:
    carried = ZERO
    last = None
    place = len(slices) - 1
    for i, size in enumerate(slices):
        carried += size
        slices[i] = ZERO
        if size > 0:
            place = i
        if carried > 0 and carried >= minimum:
            slices[i], carried, last = carried, ZERO, i
    if carried > 0 and last is not None:
        short = ceil_to(minimum - carried, lot)
        if slices[last] - short >= minimum:
            slices[last] -= short
            carried += short
        else:
            place = last
    slices[place] += carried
