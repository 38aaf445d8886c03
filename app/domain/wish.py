"""A child before it is one, and all that those who judge it may look at."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.desk import Desk
from app.domain.execution import Execution
from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import Instant
from app.domain.market import Market, Quote
from app.domain.plan import Envelope
from app.domain.quantity import ZERO
from app.domain.trigger import Trigger


@dataclass(frozen=True, slots=True)
class Wish:
    """A child on its way through the guards."""

    purpose: Purpose
    qty: Decimal
    price: Decimal = ZERO
    time_in_force: TimeInForce = TimeInForce.DAY
    bound: str | None = None
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None

    @property
    def stops_alone(self) -> bool:
        return self.stop_price is not None and self.stop_limit_price is None


@dataclass(frozen=True, slots=True)
class Hold:
    """No child now. `until` and `triggers` are the exact release conditions.

    Neither given: only a new fact about the order, its children or the desk lets go.
    """

    guard: str
    until: Instant | None = None
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a guard may look at."""

    execution: Execution
    envelope: Envelope
    desk: Desk
    market: Market
    quote: Quote
    now: Instant
