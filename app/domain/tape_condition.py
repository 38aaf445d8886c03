"""Triggers as questions to quote columns: at which rows does this condition hold?"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import assert_never

import numpy as np

from app.domain.quantity import Side
from app.domain.tape_search import Holds, Integers
from app.domain.trigger import (
    BookUncrossed,
    MixReaches,
    PriceReaches,
    PriceWithin,
    QuoteUpdated,
    SideUpdated,
    SizeReaches,
    TouchMoved,
)

QuoteTrigger = (
    PriceReaches
    | PriceWithin
    | TouchMoved
    | MixReaches
    | SizeReaches
    | SideUpdated
    | QuoteUpdated
    | BookUncrossed
)


@dataclass(frozen=True, slots=True)
class BookSide:
    """The columns of one side of the book."""

    price: Integers
    size: Integers
    at: Integers


@dataclass(frozen=True, slots=True)
class Book:
    """Both sides, and the scales of their whole numbers."""

    bid: BookSide
    ask: BookSide
    price_scale: int
    size_scale: int

    def far(self, side: Side) -> BookSide:
        """The side an order of `side` takes when it crosses."""
        return self.ask if side is Side.BUY else self.bid


def condition(trigger: QuoteTrigger, book: Book) -> Holds:
    """The trigger as a function from a stretch of rows to flags."""
    bid, ask = book.bid, book.ask
    match trigger:
        case PriceReaches(side, price):
            return _reaches(side, book.far(side).price, price * book.price_scale)
        case PriceWithin(side, low, high):
            least, most = ceiling(low, book.price_scale), floor(high, book.price_scale)
            far = book.far(side).price
            return lambda rows: (far[rows] >= least) & (far[rows] <= most)
        case TouchMoved(side, price):
            return _differs(book.far(side).price, price * book.price_scale)
        case MixReaches(side, part, whole, price):
            return _mixed(side, book, part, whole, price * book.price_scale * whole)
        case SizeReaches(side, size):
            shown, units = book.far(side).size, ceiling(size, book.size_scale)
            return lambda rows: shown[rows] >= units
        case SideUpdated(side, moment):
            stated = book.far(side).at
            return lambda rows: stated[rows] > moment
        case QuoteUpdated(moment):
            return lambda rows: (bid.at[rows] > moment) | (ask.at[rows] > moment)
        case BookUncrossed():
            return lambda rows: bid.price[rows] < ask.price[rows]
        case _:
            assert_never(trigger)


def floor(value: Decimal, scale: int) -> int:
    """The largest number of units not above `value`."""
    return int((value * scale).to_integral_value(ROUND_FLOOR))


def ceiling(value: Decimal, scale: int) -> int:
    """The smallest number of units not below `value`."""
    return int((value * scale).to_integral_value(ROUND_CEILING))


def _reaches(side: Side, prices: Integers, units: Decimal) -> Holds:
    if side is Side.BUY:
        most = floor(units, 1)
        return lambda rows: prices[rows] <= most
    least = ceiling(units, 1)
    return lambda rows: prices[rows] >= least


def _mixed(side: Side, book: Book, part: int, whole: int, units: Decimal) -> Holds:
    near, far = book.far(side.other).price, book.far(side).price
    if not part:
        return _reaches(side.other, near, units / whole)
    if side is Side.BUY:
        least = ceiling(units, 1)
        return lambda rows: (whole - part) * near[rows] + part * far[rows] >= least
    most = floor(units, 1)
    return lambda rows: (whole - part) * near[rows] + part * far[rows] <= most


def _differs(prices: Integers, units: Decimal) -> Holds:
    # A price between two units is never shown: every touch differs from it.
    if units != units.to_integral_value():
        return lambda rows: np.ones(len(prices[rows]), dtype=np.bool_)
    return lambda rows: prices[rows] != int(units)
