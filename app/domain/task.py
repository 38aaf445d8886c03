"""What one parent order asks for, with all that its plan depends on, snapshotted at acceptance."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from app.domain.instant import SECOND, Instant, Micros
from app.domain.instrument import Instrument
from app.domain.quantity import Side
from app.domain.session import Session
from app.domain.volume import VolumeCurve


class Urgency(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    IMMEDIATE = "immediate"


class OnRestart(StrEnum):
    """What happens to an order that nobody owned for 60 s."""

    RESUME = "resume"
    PAUSE = "pause"
    CANCEL = "cancel"


CLOSE_CUTOFF: Micros = 660 * SECOND
"""New York's exchange and Alpaca take orders for the closing auction until ten minutes before the
close; a minute more is for the evidence about what is canceled first."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds on every child that come from the house, not from the order."""

    max_quote_age: Micros
    collar: Decimal
    """Largest distance of a child's price from the last trade, as a fraction."""
    close_cutoff: Micros = CLOSE_CUTOFF
    """How long before the close an order leaves the market for the closing auction."""


class Task(NamedTuple):
    """A parent order as its algorithm sees it. Amending makes a new one; time never does.

    Quantities are in units of the instrument, `max_participation` is a fraction of the market's
    volume with the order's own volume counted, `params` hold the algorithm's own parameters
    already validated and completed with their defaults. `reduce_only`: the order never takes the
    account's position through zero. `extended_hours`: its `session` is a day with what is traded
    before the open and after the close, and so are its children's.
    """

    order_id: str
    account: str
    instrument: Instrument
    side: Side
    qty: Decimal
    algo: str
    start: Instant
    end: Instant
    session: Session
    curve: VolumeCurve
    seed: str
    policy: Policy
    limit_price: Decimal | None = None
    max_participation: Decimal | None = None
    urgency: Urgency = Urgency.NORMAL
    params: Mapping[str, Any] = MappingProxyType({})
    reduce_only: bool = False
    extended_hours: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the plan starts: `done` was already filled at `at`, the rest is spread until the end.

    The first anchor is the order's own start. Resuming, amending and catching up set a new one,
    so that a late start is a larger deficit over the time that is left, never a burst.
    """

    at: Instant
    done: Decimal
