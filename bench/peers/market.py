"""A seeded session of a million quotes: a large-tick stock, as columns of whole numbers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.tape_build import Quotes, Trades, build_tape

OPENS: Instant = 1_767_623_400 * SECOND
SESSION = Session(OPENS, OPENS + 390 * MINUTE)
SLICES = 50

MOVES_PER_DAY = 1_500
"""How often the touch moves: sizes change with every quote, prices every 15 s."""
LEAST_SHOWN, MOST_SHOWN = 200, 2_000
TRADES_SHARE = 0.1

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """Quotes and trades; prices in cents, times in microseconds."""

    at: Integers
    bid: Integers
    ask: Integers
    bid_size: Integers
    ask_size: Integers
    trade_at: Integers
    trade_price: Integers
    trade_size: Integers

    def save(self, path: Path) -> None:
        np.savez(path, **{name: getattr(self, name) for name in self.__slots__})

    def tape(self) -> Tape:
        """The same market as a tape."""
        return build_tape(
            "XYZ",
            price_scale=100,
            size_scale=1,
            since=SESSION.opens_at - MINUTE,
            until=SESSION.closes_at,
            quotes=Quotes(self.at, self.bid, self.ask, self.bid_size, self.ask_size),
            trades=Trades(self.trade_at, self.trade_price, self.trade_size),
        )


def made(count: int, seed: int) -> Columns:
    """`count` quotes from a second before the open; no two moments are the same, and none falls
    on a slice's own: what comes first at one moment is every engine's own choice."""
    random = np.random.default_rng(seed)
    steps = random.exponential(1.0, count)
    span = SESSION.length - 2
    offsets = (np.cumsum(steps) / steps.sum() * span).astype(np.int64)
    at = np.maximum.accumulate(SESSION.opens_at + offsets - np.arange(count)) + np.arange(count)
    at[0] = SESSION.opens_at - SECOND
    moment = (at - SESSION.opens_at) % (SESSION.length // SLICES) == 0
    at = at + moment
    moves = random.random(count) < MOVES_PER_DAY / count
    middle = 10_000 + np.cumsum(np.where(moves, random.choice([-1, 1], count), 0))
    # Which side speaks: at a move both, else one of them.
    bids = moves | (random.random(count) < 0.5)
    asks = moves | ~bids
    bids[0] = asks[0] = True
    rows = np.arange(count)
    sizes = random.integers(LEAST_SHOWN, MOST_SHOWN + 1, (2, count))
    trades = np.flatnonzero(random.random(count) < TRADES_SHARE)[1:]
    trade_at = at[trades] + 1
    buys = random.random(len(trades)) < 0.5
    return Columns(
        at=at,
        bid=middle,
        ask=middle + 1,
        bid_size=sizes[0][np.maximum.accumulate(np.where(bids, rows, 0))],
        ask_size=sizes[1][np.maximum.accumulate(np.where(asks, rows, 0))],
        trade_at=trade_at,
        trade_price=np.where(buys, middle[trades] + 1, middle[trades]),
        trade_size=random.integers(1, 6, len(trades)) * 100,
    )
