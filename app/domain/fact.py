"""What can happen to an order. Facts are folded by `apply`, stored as events, and streamed.

Every fact knows its `type`, the word it has in events, and the market time `at` it happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from app.domain.instant import Instant
from app.domain.lifecycle import OrderStatus
from app.domain.quantity import Side


class Purpose(StrEnum):
    REST = "rest"
    CROSS = "cross"
    CLOSE = "close"
    """For the closing auction."""


class TimeInForce(StrEnum):
    IOC = "ioc"
    DAY = "day"
    DAY_EXTENDED = "day_ext"
    """Until the end of extended hours, and trades in them; nothing else does."""
    CLS = "cls"


@dataclass(frozen=True, slots=True)
class Moved:
    """The order went to another status. `type` is `order.<status>`."""

    at: Instant
    status: OrderStatus
    reason: str | None = None

    @property
    def type(self) -> str:
        return f"order.{self.status}"


@dataclass(frozen=True, slots=True)
class Paused:
    type: ClassVar[str] = "order.pause_requested"
    at: Instant


@dataclass(frozen=True, slots=True)
class Resumed:
    type: ClassVar[str] = "order.resume_requested"
    at: Instant


@dataclass(frozen=True, slots=True)
class CancelRequested:
    type: ClassVar[str] = "order.cancel_requested"
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class Amended:
    """The order asks for something else from now on. None: unchanged."""

    type: ClassVar[str] = "order.amended"
    at: Instant
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    end: Instant | None = None
    max_participation: Decimal | None = None
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Replanned:
    """The rest is spread anew over the time that is left."""

    type: ClassVar[str] = "order.replanned"
    at: Instant
    done: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class StopHit:
    """The stop was reached: from here on everything crosses, whatever the price does then.
    `price` is the touch that was seen."""

    type: ClassVar[str] = "order.stop_hit"
    at: Instant
    price: Decimal


@dataclass(frozen=True, slots=True)
class ExitForced:
    """The exit crosses everything from here on, for another reason than its stop."""

    type: ClassVar[str] = "order.exit_forced"
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class Intended:
    """A child is about to be sent; its quantity is reserved from here on. Its stop, if any, is as
    in `execution.Child`."""

    type: ClassVar[str] = "child.intended"
    at: Instant
    child_id: str
    number: int
    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose
    time_in_force: TimeInForce
    quote_at: Instant
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """The broker took the child and gave it its own id."""

    type: ClassVar[str] = "child.sent"
    at: Instant
    child_id: str
    broker_order_id: str


@dataclass(frozen=True, slots=True)
class Rested:
    """The child works in the venue's book."""

    type: ClassVar[str] = "child.working"
    at: Instant
    child_id: str


@dataclass(frozen=True, slots=True)
class BecameUnknown:
    """The send had no clear answer. Its quantity stays reserved until there is evidence."""

    type: ClassVar[str] = "child.unknown"
    at: Instant
    child_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChildCancelRequested:
    type: ClassVar[str] = "child.cancel_requested"
    at: Instant
    child_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChildCanceled:
    type: ClassVar[str] = "child.canceled"
    at: Instant
    child_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChildExpired:
    type: ClassVar[str] = "child.expired"
    at: Instant
    child_id: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChildRejected:
    """Definitely refused by the broker, withheld from it by our own adapter, or proven never to
    have reached it (`absent`)."""

    type: ClassVar[str] = "child.rejected"
    at: Instant
    child_id: str
    reason: str
    absent: bool = False

    @property
    def by_broker(self) -> bool:
        """Whether the broker said so: what was kept back here is never taken for that."""
        return self.reason.startswith("broker.")


@dataclass(frozen=True, slots=True)
class Filled:
    """One execution, unique by (broker, account, execution id). `fee` is positive for a cost."""

    type: ClassVar[str] = "fill.booked"
    at: Instant
    child_id: str
    execution_id: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    liquidity: str
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class Busted:
    """A booked execution was declared void by the broker: it never counted."""

    type: ClassVar[str] = "fill.busted"
    at: Instant
    child_id: str
    execution_id: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """A child with an id of ours that the broker knows and our journal had lost (a restore).

    `live`: it may still fill, and its quantity is reserved.
    """

    type: ClassVar[str] = "child.adopted"
    at: Instant
    child_id: str
    number: int
    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose
    time_in_force: TimeInForce
    live: bool
    broker_order_id: str | None = None
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None


OrderFact = Moved | Paused | Resumed | CancelRequested | Amended | Replanned | StopHit | ExitForced
Command = Paused | Resumed | CancelRequested | Amended
"""What somebody told an order to do: a client, or the house by itself."""
ChildFact = (
    Intended
    | Sent
    | Rested
    | BecameUnknown
    | ChildCancelRequested
    | ChildCanceled
    | ChildExpired
    | ChildRejected
    | Filled
    | Busted
    | Adopted
)
Fact = OrderFact | ChildFact
