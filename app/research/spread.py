"""Quotes for a tape that has none of its own, or only those assumed around bars."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from app.domain.instrument import Instrument
from app.domain.tape import Tape, frozen


def with_spread(tape: Tape, instrument: Instrument, *, ticks: int, shown: Decimal) -> Tape:
    """The tape with a quote at each of its prints in place of its own: `ticks` wide, the print
    inside it, `shown` on either side. Costs measured on it are what the spread was assumed to be.

    Raises ValueError for a spread or a size that is not above zero.
    """
    if ticks < 1 or shown <= 0:
        raise ValueError("a spread is at least a tick wide and shows something")
    tick = int(instrument.tick * tape.price_scale)
    size = np.full(len(tape.trade_at), int(shown * tape.size_scale), dtype=np.int64)
    below = tape.trade_price - ticks * tick // 2
    bid = np.maximum(below // tick, 1) * tick
    columns = {
        "quote_at": tape.trade_at,
        "bid": bid,
        "ask": bid + ticks * tick,
        "bid_size": size,
        "ask_size": size,
        "bid_at": tape.trade_at,
        "ask_at": tape.trade_at,
    }
    return replace(tape, **frozen(columns))
