"""Bars as a tape: what must be assumed about what happened inside a bar.

Prints: a bar becomes four, at its open, a third and two thirds into it, and a millisecond before
its end: open, low, high, close where the close is not below the open, else open, high, low,
close. Each carries a quarter of the volume, in whole numbers that sum to it. A volume-weighted
price that a source may give is not used: it can lie outside of [low, high].

Quotes, with quote bars: their bid and ask take the same four moments in the same order, with the
sizes of the bar. Without: one tick either side of each print, on the tick grid, showing 5 % of
the bar's volume on each side, at least a lot.

Nothing inside a bar is therefore known to the second; costs measured on bars are estimates.
"""

from dataclasses import dataclass

import numpy as np

from app.domain.instant import MILLISECOND, Micros
from app.domain.tape import Prints
from app.domain.tape_search import Flags, Integers
from app.tapes.reading.recording import Book
from app.tapes.reading.rows import Rows

PRICES = ("open", "high", "low", "close")
SHOWN = 20
"""One part in so many of a bar's volume is shown on each side."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Open, high, low and close of each bar."""

    open: Integers
    high: Integers
    low: Integers
    close: Integers

    @property
    def rising(self) -> Flags:
        return self.close >= self.open

    def rows(self, chosen: Flags) -> "Prices":
        return Prices(self.open[chosen], self.high[chosen], self.low[chosen], self.close[chosen])

    def path(self, rising: Flags) -> Integers:
        """One row per bar: its prices in the order in which they are assumed to have come."""
        second = np.where(rising, self.low, self.high)
        third = np.where(rising, self.high, self.low)
        return np.column_stack((self.open, second, third, self.close))


@dataclass(frozen=True, slots=True)
class Bars:
    """Trade bars by the time of their start; all of one length."""

    at: Integers
    length: Micros
    prices: Prices
    volume: Integers


@dataclass(frozen=True, slots=True)
class QuoteBars:
    """Quote bars by the time of their start; all of one length."""

    at: Integers
    length: Micros
    bid: Prices
    ask: Prices
    bid_size: Integers
    ask_size: Integers


def prints_of(bars: Bars) -> Prints:
    """Four prints for each bar; a quarter that comes to nothing is left out."""
    size = np.column_stack([(bars.volume + 3 - quarter) // 4 for quarter in range(4)]).ravel()
    at = _moments(bars.at, bars.length)
    price = bars.prices.path(bars.prices.rising).ravel()
    traded = size > 0
    return Prints(at[traded], price[traded], size[traded])


def book_of(quotes: QuoteBars, bars: Bars) -> Book:
    """Four quotes for each quote bar, going the way of the trade bar of the same time."""
    rising = quotes.bid.close + quotes.ask.close >= quotes.bid.open + quotes.ask.open
    if len(bars.at):
        beside = np.minimum(bars.at.searchsorted(quotes.at), len(bars.at) - 1)
        same = bars.at[beside] == quotes.at
        rising = np.where(same, bars.prices.rising[beside], rising)
    at = _moments(quotes.at, quotes.length)
    return Book(
        at=at,
        bid=quotes.bid.path(rising).ravel(),
        ask=quotes.ask.path(rising).ravel(),
        bid_size=np.repeat(quotes.bid_size, 4),
        ask_size=np.repeat(quotes.ask_size, 4),
        bid_at=at,
        ask_at=at,
    )


def book_around(bars: Bars, tick: int, lot: int) -> Book:
    """The quotes assumed for bars that come without; `tick` and `lot` in units."""
    at = _moments(bars.at, bars.length)
    price = bars.prices.path(bars.prices.rising).ravel()
    shown = np.maximum(bars.volume // SHOWN // lot * lot, lot)
    return around(at, price, np.repeat(shown, 4), tick)


def around(at: Integers, price: Integers, shown: Integers, tick: int) -> Book:
    """Quotes at least one tick either side of each price, on the tick grid."""
    bid = np.maximum((price - tick) // tick * tick, tick)
    ask = -(-(price + tick) // tick) * tick
    return Book(at, bid, ask, shown, shown, at, at)


def prices_of(rows: Rows, prefix: str, scale: float, *, zero: bool = False) -> Prices:
    """A table's open, high, low and close; refused where they contradict each other."""
    prices = Prices(*(rows.units(prefix + name, scale, zero=zero) for name in PRICES))
    for name, inner in (("open", prices.open), ("close", prices.close)):
        wrong = (inner > prices.high) | (inner < prices.low)
        rows.refuse(wrong, f"{prefix}{name} is outside of low and high")
    return prices


def _moments(at: Integers, length: Micros) -> Integers:
    last = length - min(MILLISECOND, length // 4)
    offsets = np.array([0, length // 3, 2 * length // 3, last], dtype=np.int64)
    return (at[:, np.newaxis] + offsets).ravel()
