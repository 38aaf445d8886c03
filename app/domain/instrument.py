"""What is traded, and the grid it trades on."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable symbol.

    `tick` is the price step, `lot` the quantity step and `min_qty` the smallest child a venue
    takes, all in the instrument's own units; `calendar` is a name known to `exchange_calendars`
    ("XNYS", "24/7").
    """

    symbol: str
    tick: Decimal
    lot: Decimal
    min_qty: Decimal
    calendar: str
    currency: str = "USD"
