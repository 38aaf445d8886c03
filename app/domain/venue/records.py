"""What the ledger holds: what the venue was told, and what happened there."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.fact import TimeInForce
from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import Side


class Code(StrEnum):
    """Why the venue refuses an order: definite, it was never worked."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    BAD_QUANTITY = "bad_quantity"
    BAD_PRICE = "bad_price"
    MARKET_CLOSED = "market_closed"


class Reason(StrEnum):
    """Why an order ended without filling."""

    REQUESTED = "requested"
    IOC_REST = "ioc_rest"
    DAY_ENDED = "day_ended"


class Liquidity(StrEnum):
    TAKER = "taker"
    MAKER = "maker"


@dataclass(frozen=True, slots=True)
class Order:
    """`number` counts everything the venue was told, in order. `expires_at` is the end of the
    session it arrived in, or when its closing auction has printed (the arrival itself for one that
    was refused)."""

    number: int
    client_id: str
    symbol: str
    side: Side
    qty: Decimal
    limit: Decimal
    time_in_force: TimeInForce
    received_at: Instant
    arrives_at: Instant
    expires_at: Instant

    @property
    def venue_id(self) -> str:
        return f"P-{self.number:06d}"

    @property
    def priority(self) -> tuple[Side, Decimal, int]:
        """Best price first, then first come; buys before sells only to have one order of all."""
        return self.side, -self.side.sign * self.limit, self.number


@dataclass(frozen=True, slots=True)
class CancelRequest:
    number: int
    client_id: str
    received_at: Instant
    arrives_at: Instant


@dataclass(frozen=True, slots=True)
class Execution:
    """`shown_at` names the displayed size a taker took from: the last update of that side."""

    seq: int
    order: Order
    qty: Decimal
    price: Decimal
    fee: Decimal
    liquidity: Liquidity
    at: Instant
    shown_at: Instant | None

    @property
    def execution_id(self) -> str:
        return f"E-{self.seq:06d}"


@dataclass(frozen=True, slots=True)
class Rested:
    """What was left of a DAY order on arrival went into the book; or a CLS order waits."""

    seq: int
    order: Order
    filled: Decimal
    at: Instant


@dataclass(frozen=True, slots=True)
class Ended:
    """The order is over: filled, canceled, expired or rejected."""

    seq: int
    order: Order
    status: ChildStatus
    reason: str | None
    filled: Decimal
    at: Instant


Happening = Execution | Rested | Ended
