"""What a decision can ask for. The engine turns actions into facts, and facts into rows."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import Instant
from app.domain.lifecycle import OrderStatus
from app.domain.plan import Envelope
from app.domain.quantity import Side
from app.domain.trigger import Trigger


@dataclass(frozen=True, slots=True)
class Move:
    """Go to another status."""

    status: OrderStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Replan:
    """Spread the rest anew from now."""

    done: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Trip:
    """Note that the stop was hit, at the touch `price`."""

    price: Decimal


@dataclass(frozen=True, slots=True)
class Force:
    """Note that everything has to cross from now on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send one child. `stop_price`: with a stop beside it, which trades at `stop_limit_price` or
    better; without the latter the child is the stop alone, and `price` its limit."""

    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose
    time_in_force: TimeInForce
    quote_at: Instant
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel one live child."""

    child_id: str
    reason: str


Action = Move | Replan | Trip | Force | Send | Cancel


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, and when to look again: at `look_at`, or as soon as a trigger fires.

    `bound` names the guard that held back or limited, for the answer to "why"; `envelope` is
    None where the order's phase decided before any plan was asked. `own`: another order of the
    account is in the way, and whatever changes that one may let this one go.
    """

    actions: tuple[Action, ...] = ()
    look_at: Instant | None = None
    triggers: tuple[Trigger, ...] = ()
    bound: str | None = None
    envelope: Envelope | None = None
    own: bool = False
