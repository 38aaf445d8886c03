"""Finding the first row of a column that meets a condition, without reading the rest of the day."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Holds = Callable[[slice], Flags]
"""Says for each row of a stretch whether the condition holds after it."""

FIRST_CHUNK = 256
GROWTH = 4


def after(at: Integers, instant: int) -> int:
    """How many rows of a sorted column of times lie at or before `instant`."""
    return int(at.searchsorted(instant, side="right"))


def first_settled(at: Integers, low: int, high: int, holds: Holds) -> int | None:
    """The first row in [low, high) that ends its moment and at which the condition holds.

    Rows that share a time are one moment: only the state after the last of them was ever there
    to be seen. Chunks grow, so that a hit close by costs little and a far one few calls.
    """
    chunk = FIRST_CHUNK
    while low < high:
        end = min(low + chunk, high)
        hits = holds(slice(low, end))
        if np.count_nonzero(hits):
            hits = hits & _settled(at, low, end)
            i = int(hits.argmax())
            if hits[i]:
                return low + i
        low, chunk = end, chunk * GROWTH
    return None


def _settled(at: Integers, low: int, end: int) -> Flags:
    settled = np.ones(end - low, dtype=np.bool_)
    last = min(end, len(at) - 1)
    np.not_equal(at[low:last], at[low + 1 : last + 1], out=settled[: last - low])
    return settled


def last_change(at: Integers, *columns: NDArray[Any]) -> Integers:
    """For each row, the time of the latest row at which any of `columns` changed."""
    if len(at) == 0:
        return at
    changed = np.zeros(len(at), dtype=np.bool_)
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    rows = np.where(changed, np.arange(len(at)), 0)
    return at[np.maximum.accumulate(rows)]
