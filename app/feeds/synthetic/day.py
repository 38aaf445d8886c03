"""One made-up day as a tape: quotes on the tick grid, each side with its own life, and trades.

There are about two quote updates a second and a trade every second and a half, denser where the
day's volume is. One update in four moves prices; the others restate the size of one side. The
spread is one to three ticks. There is no auction, and no trade is ever outside the touch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import SECOND, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape
from app.feeds.synthetic.seeded import generator

QUOTES_PER_SECOND = 2.0
TRADES_PER_SECOND = 1 / 1.5
MOVES = 0.25
"""Share of quote updates that may change a price."""
AT_TOUCH = 0.9
ROUND_LOTS = 0.6
ROUND_LOT = 100
WIDEST = 3
DISPLAYED = 1e-4
"""Size shown on average, as a share of the day's volume."""

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What a day is to be like: `volumes` are what its bins of `bin_length` are meant to trade.

    The middle price goes from `opens` to `closes`, so that the next day can go on from there.
    `shown` is the size displayed on average.
    """

    stretch: Session
    opens: float
    closes: float
    volatility: float
    bin_length: Micros
    volumes: Sequence[float]
    shown: float
    seed: str
    pace: float = 1.0
    """Of the usual quotes and trades a second."""


@dataclass(frozen=True, slots=True)
class _Book:
    """Quotes in ticks and lots, with the time at which each side last spoke."""

    at: Integers
    bid: Integers
    ask: Integers
    bid_lots: Integers
    ask_lots: Integers
    bid_at: Integers
    ask_at: Integers


def made_day(instrument: Instrument, plan: DayPlan) -> Tape:
    """The day as a tape, the same for the same arguments."""
    book = _book(instrument, plan)
    at, ticks, lots = _trades(instrument, plan, book)
    price_scale, size_scale = _scale(instrument.tick), _scale(instrument.lot)
    tick, lot = int(instrument.tick * price_scale), int(instrument.lot * size_scale)
    return build_tape(
        instrument.symbol,
        price_scale=price_scale,
        size_scale=size_scale,
        since=plan.stretch.opens_at,
        until=plan.stretch.closes_at,
        quotes=Quotes(
            at=book.at,
            bid=book.bid * tick,
            ask=book.ask * tick,
            bid_size=book.bid_lots * lot,
            ask_size=book.ask_lots * lot,
            bid_at=book.bid_at,
            ask_at=book.ask_at,
        ),
        trades=Trades(at, ticks * tick, lots * lot),
    )


def _scale(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is a finite number"
    return int(10 ** max(-exponent, 0))


def _times(random: np.random.Generator, plan: DayPlan, rate: float) -> Integers:
    """Sorted moments of the stretch: half of them follow the volume, half the clock."""
    length = plan.stretch.length
    edges = np.minimum(np.arange(len(plan.volumes) + 1) * plan.bin_length, length)
    by_volume = np.concatenate(([0.0], np.cumsum(plan.volumes))) / sum(plan.volumes)
    count = max(round(length / SECOND * rate * plan.pace), 1)
    chances = np.sort(random.random(count))
    offsets = np.interp(chances, (by_volume + edges / length) / 2, edges)
    return plan.stretch.opens_at + np.minimum(offsets.astype(np.int64), length - 1)


def _book(instrument: Instrument, plan: DayPlan) -> _Book:
    random = generator(plan.seed, "quotes")
    at = _times(random, plan, QUOTES_PER_SECOND)
    at[0] = plan.stretch.opens_at
    moves = random.random(len(at)) < MOVES
    moves[0] = True
    middle = _walk(random, plan, at) / float(instrument.tick)
    spread = random.integers(1, WIDEST + 1, len(at))
    # Between two moves, each side aims at where the last move put it.
    row = np.maximum.accumulate(np.where(moves, np.arange(len(at)), 0))
    bid = np.maximum(np.rint(middle - spread / 2).astype(np.int64), 1)[row]
    ask = bid + spread[row]
    bid_row, ask_row = _spoken(random, bid, ask)
    usual = plan.shown / float(instrument.lot)
    shown = _sizes(random, np.full(len(at), max(usual, 1.0)))
    other = _sizes(random, np.full(len(at), max(usual, 1.0)))
    return _Book(
        at=at,
        bid=bid[bid_row],
        ask=ask[ask_row],
        bid_lots=shown[bid_row],
        ask_lots=other[ask_row],
        bid_at=at[bid_row],
        ask_at=at[ask_row],
    )


def _walk(random: np.random.Generator, plan: DayPlan, at: Integers) -> NDArray[np.float64]:
    """The middle price at each moment: a random walk tied to both ends of the day."""
    elapsed = (at - plan.stretch.opens_at) / plan.stretch.length
    steps = random.standard_normal(len(at)) * np.sqrt(np.diff(elapsed, prepend=0.0))
    path = plan.volatility * np.cumsum(steps)
    tied = path + elapsed * (log(plan.closes / plan.opens) - path[-1])
    return np.asarray(plan.opens * np.exp(tied))


def _spoken(random: np.random.Generator, bid: Integers, ask: Integers) -> tuple[Integers, Integers]:
    """For each row, the row at which each side last spoke: one side at a time where it can be.

    Where one side alone would leave the book crossed or too wide, both speak at once.
    """
    bids = random.random(len(bid)) < 0.5
    asks = ~bids
    rows = np.arange(len(bid))
    while True:
        bid_row = np.maximum.accumulate(np.where(bids, rows, 0))
        ask_row = np.maximum.accumulate(np.where(asks, rows, 0))
        spread = ask[ask_row] - bid[bid_row]
        wrong = (spread < 1) | (spread > WIDEST)
        if not wrong.any():
            return bid_row, ask_row
        bids |= wrong
        asks |= wrong


def _trades(
    instrument: Instrument, plan: DayPlan, book: _Book
) -> tuple[Integers, Integers, Integers]:
    """Times, prices in ticks and sizes in lots; most at the touch, some inside it."""
    random = generator(plan.seed, "trades")
    at = _times(random, plan, TRADES_PER_SECOND)
    row = book.at.searchsorted(at, side="right") - 1
    bid, ask = book.bid[row], book.ask[row]
    buys = random.random(len(at)) < 0.5
    inside = (random.random(len(at)) >= AT_TOUCH) & (ask - bid > 1)
    price = np.where(buys, ask, bid) + inside * np.where(buys, -1, 1)
    bins = (at - plan.stretch.opens_at) // plan.bin_length
    in_bin = np.bincount(bins, minlength=len(plan.volumes))
    usual = np.asarray(plan.volumes) / float(instrument.lot) / np.maximum(in_bin, 1)
    return at, price, _sizes(random, usual[bins])


def _sizes(random: np.random.Generator, mean: NDArray[np.float64]) -> Integers:
    """Lots around `mean`: a long tail upwards, most large ones rounded to hundreds."""
    spread = 0.9
    lots = mean * random.lognormal(-spread * spread / 2, spread, len(mean))
    hundreds = np.rint(lots / ROUND_LOT) * ROUND_LOT
    rounded = (random.random(len(mean)) < ROUND_LOTS) & (hundreds > 0)
    return np.maximum(np.where(rounded, hundreds, np.rint(lots)), 1).astype(np.int64)
