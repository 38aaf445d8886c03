"""What one parent order asks for, with all that its plan depends on, snapshotted at acceptance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domain.instant import Instant, Micros
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


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds on every child that come from the house, not from the order."""

    max_quote_age: Micros
    collar: Decimal
    """Largest distance of a child's price from the last trade, as a fraction."""


@dataclass(frozen=True, slots=True)
class Task:
    """A parent order as its algorithm sees it. Amending makes a new one; time never does.

    Quantities are in units of the instrument, `max_participation` is a fraction of the market's
    volume with the order's own volume counted, `params` hold the algorithm's own parameters
    already validated and completed with their defaults.
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
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the plan starts: `done` was already filled at `at`, the rest is spread until the end.

    The first anchor is the order's own start. Resuming, amending and catching up set a new one,
    so that a late start is a larger deficit over the time that is left, never a burst.
    """

    at: Instant
    done: Decimal
