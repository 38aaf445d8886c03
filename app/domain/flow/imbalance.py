"""Imbalance of the book: at one moment, and of all that changed it over a stretch.

Order-flow imbalance is that of Cont, Kukanov and Stoikov (2014), equation 10: what each update of
the best quotes added to the bid's side, less what it added to the offer's. It is summed over every
update, never between snapshots; rows that are locked or crossed are passed over.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.tape import Tape

_FIRST_LOOK = 16
_GROWTH = 8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Updates:
    """The updates of a stretch: when, e_n of each, and the mean size of the touch after it."""

    at: NDArray[np.int64]
    e: Floats
    depth: Floats


def queue_imbalance(bid_size: float, ask_size: float) -> float | None:
    """(bid − ask) / (bid + ask) in [−1, 1] (Gould and Bonart 2016); None for an empty touch."""
    total = bid_size + ask_size
    return (bid_size - ask_size) / total if total > 0 else None


def weighted_mid(bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    """The middle weighted by the other side's size: it leans to where less is offered."""
    return (bid * ask_size + ask * bid_size) / (bid_size + ask_size)


def updates(tape: Tape, low: int, high: int) -> Updates:
    """The quote rows [low, high) of a tape, in units of its sizes."""
    first = _usable_before(tape, low)
    rows = np.arange(first, high)
    rows = rows[tape.bid[first:high] < tape.ask[first:high]]
    e = _contributions(tape, rows)
    depth = (tape.bid_size[rows] + tape.ask_size[rows]) / 2
    inside = rows >= low
    return Updates(tape.quote_at[rows][inside], e[inside], depth[inside])


def _contributions(tape: Tape, rows: NDArray[np.int64]) -> Floats:
    """e_n of each row against the one before it; 0 for the first."""
    bid, ask = tape.bid[rows], tape.ask[rows]
    bid_size = tape.bid_size[rows].astype(np.float64)
    ask_size = tape.ask_size[rows].astype(np.float64)
    bids, asks = np.diff(bid), np.diff(ask)
    e = np.zeros(len(rows))
    e[1:] = (
        bid_size[1:] * (bids >= 0)
        - bid_size[:-1] * (bids <= 0)
        - ask_size[1:] * (asks <= 0)
        + ask_size[:-1] * (asks >= 0)
    )
    return e


def _usable_before(tape: Tape, row: int) -> int:
    """The last row before `row` that is neither locked nor crossed; `row` where there is none."""
    end, look = row, _FIRST_LOOK
    while end > 0:
        start = max(end - look, 0)
        usable = np.flatnonzero(tape.bid[start:end] < tape.ask[start:end])
        if len(usable):
            return start + int(usable[-1])
        end, look = start, look * _GROWTH
    return row
