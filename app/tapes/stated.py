"""What the user says about a source, and what is stated before anything is read from it."""

from dataclasses import dataclass
from decimal import Decimal

ZONES = {
    "XNYS": "America/New_York", "XNAS": "America/New_York", "XTSE": "America/Toronto",
    "XLON": "Europe/London", "XPAR": "Europe/Paris", "XETR": "Europe/Berlin",
    "XFRA": "Europe/Berlin", "XAMS": "Europe/Amsterdam", "XSWX": "Europe/Zurich",
    "XTKS": "Asia/Tokyo", "XHKG": "Asia/Hong_Kong", "XASX": "Australia/Sydney",
}  # fmt: skip
"""The local time of exchanges, tried for times that name no zone."""

ROUND_THE_CLOCK = "24/7"
USUAL_CALENDAR = "XNYS"


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says; None is to be found out."""

    symbol: str | None = None
    timezone: str | None = None
    time_format: str | None = None
    stamp: str | None = None
    bar_length: int | None = None
    """In seconds."""
    price_scale: int | None = None
    calendar: str | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    adjusted: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One trait of a source, its value, and what speaks for it."""

    what: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Traits:
    """What the instruments of a source share."""

    calendar: str
    tick: Decimal
    lot: Decimal
    currency: str = "USD"
