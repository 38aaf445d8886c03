"""Footprint: what aggressors bought and sold at each price."""

import numpy as np
from numpy.typing import NDArray

from app.domain.flow.record import Level
from app.domain.tape import Tape

LEVELS_MAX = 16


def footprint(tape: Tape, low: int, high: int, sign: NDArray[np.int64]) -> tuple[Level, ...]:
    """Of the trades in rows [low, high), lowest price first; prices are put together in bands of
    1, 2, 5, 10 … of the tape's own units where there are too many."""
    price, size = tape.trade_price[low:high], tape.trade_size[low:high]
    if not len(price):
        return ()
    band = _band(int(price.min()), int(price.max()))
    bands, place = np.unique(price // band, return_inverse=True)
    bought = np.zeros(len(bands), dtype=np.int64)
    sold = np.zeros(len(bands), dtype=np.int64)
    np.add.at(bought, place[sign > 0], size[sign > 0])
    np.add.at(sold, place[sign < 0], size[sign < 0])
    return tuple(
        Level(tape.price(b * band), tape.size(up), tape.size(down))
        for b, up, down in zip(bands, bought, sold, strict=True)
    )


def _band(lowest: int, highest: int) -> int:
    band, steps = 1, (2, 5, 10)
    while highest // band - lowest // band >= LEVELS_MAX:
        scale = 10 ** (len(str(band)) - 1)
        band = scale * next(step for step in steps if step * scale > band)
    return band
