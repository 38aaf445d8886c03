"""What a run in virtual time assumes of the market and of the venue."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from app.domain.chance import unit
from app.domain.instant import MILLISECOND, Micros
from app.domain.market import ONE
from app.domain.venue.tariff import Tariff
from app.research.impact import Impact


@dataclass(frozen=True, slots=True)
class MarketOptions:
    """`volume_coverage` is the share of the market's volume that the tape has."""

    volume_coverage: Decimal = ONE


@dataclass(frozen=True, slots=True)
class Latency:
    """One way, drawn evenly from [least, least + spread] by the run's seed.

    Messages of one direction never overtake each other. Without spread it is the paper broker's.
    """

    least: Micros = 5 * MILLISECOND
    spread: Micros = 0

    def draw(self, seed: str, way: str, number: int) -> Micros:
        if not self.spread:
            return self.least
        return self.least + int(unit(seed, way, number) * (self.spread + 1))


class Queue(StrEnum):
    """When an order that rests is filled by prints at its limit."""

    BACK = "back"
    """Once they have eaten what was displayed ahead of it: the paper broker's."""
    THROUGH = "through"
    """Never: only by prints beyond it, as if it always stood last in an endless queue."""


@dataclass(frozen=True, slots=True)
class VenueOptions:
    """The simulated venue. It fills takers from the displayed size and resting orders by `queue`;
    without `impact` the market does not notice us. `cancels_per_second` is the rate that the
    broker states (None: none), shared with `others_following`: children of other orders on the
    same desk that follow the market."""

    latency: Latency = field(default_factory=Latency)
    tariff: Tariff = field(default_factory=Tariff)
    impact: Impact | None = None
    queue: Queue = Queue.BACK
    cancels_per_second: int | None = None
    others_following: int = 0
