"""QuantConnect's Lean format: one zip for each symbol, day and kind, under `equity/usa`.

Ticks are preferred; a symbol without a day of trade and quote ticks is played from minutes. One
symbol is always played from one resolution: they do not sum to the same volume.

Quote ticks are updates of one side of the national best bid and offer, the other side being 0:
each side is carried forward. The few states in which that crosses the book are dropped, as are
ticks flagged suspicious. Sale conditions are not looked at: on IBM and BAC those that mark late or
negotiated prices (20040200, 20000200, 20100000, 20100200) are just the ones that fall to the
comparison with the quotes, and their prints inside the quotes do no harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from app.domain.instant import DAY, MILLISECOND, MINUTE, SECOND, Instant, from_datetime, to_datetime
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Prints, Tape
from app.domain.tape_search import Flags, Integers
from app.feeds.replay.bars import Bars, Prices, QuoteBars, book_around, book_of, prints_of
from app.feeds.replay.recording import Book, Recording, rows_of, without_crossed
from app.feeds.replay.rows import Format, Rows, read_rows
from app.ports import Calendar, FeedError

CALENDAR = "XNYS"
ZONE = ZoneInfo("America/New_York")
PRICE_SCALE = 10_000
TICK = PRICE_SCALE // 100
LOT = 1
BAR_LENGTHS = {"second": SECOND, "minute": MINUTE}

TRADE_TICKS = ("time", "price", "size", "exchange", "condition", "suspicious")
QUOTE_TICKS = (
    "time",
    "bid",
    "bid size",
    "ask",
    "ask size",
    "exchange",
    "condition",
    "suspicious",
)
TRADE_BARS = ("time", "open", "high", "low", "close", "volume")
SIDE = ("open", "high", "low", "close", "size")
QUOTE_BARS = ("time", *(f"bid {name}" for name in SIDE), *(f"ask {name}" for name in SIDE))
