"""The closed set of market conditions a decision may wait for.

Every guard that holds back names its exact release condition with one of these, so that nothing
wakes per quote and a tape can be searched instead of stepped through.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import Side


@dataclass(frozen=True, slots=True)
class PriceReaches:
    """The touch that `side` would take is at `price` or better for it."""

    side: Side
    price: Decimal


@dataclass(frozen=True, slots=True)
class PriceWithin:
    """The touch that `side` would take lies between `low` and `high`, both included."""

    side: Side
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class TouchMoved:
    """The touch that `side` would take is no longer `price`."""

    side: Side
    price: Decimal


@dataclass(frozen=True, slots=True)
class MixReaches:
    """The point `part` / `whole` of the way from the touch that `side` joins to the one it takes
    has come to `price`, or beyond it."""

    side: Side
    part: int
    whole: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class VolumeReaches:
    """Market volume since `since` has reached `volume`."""

    since: Instant
    volume: Decimal


@dataclass(frozen=True, slots=True)
class SizeReaches:
    """The size shown at the touch that `side` would take is at least `size`."""

    side: Side
    size: Decimal


@dataclass(frozen=True, slots=True)
class SideUpdated:
    """The touch that `side` would take was updated strictly after `after`."""

    side: Side
    after: Instant


@dataclass(frozen=True, slots=True)
class QuoteUpdated:
    """Either side was updated strictly after `after` (the feed spoke again)."""

    after: Instant


@dataclass(frozen=True, slots=True)
class BookUncrossed:
    """The bid is strictly below the offer."""


Trigger = (
    PriceReaches
    | PriceWithin
    | TouchMoved
    | MixReaches
    | VolumeReaches
    | SizeReaches
    | SideUpdated
    | QuoteUpdated
    | BookUncrossed
)
