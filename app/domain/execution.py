"""The state of one parent order and its live children."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.domain.fact import Purpose, TimeInForce
from app.domain.instant import Instant
from app.domain.lifecycle import CHILD_DONE, ORDER_DONE, ChildStatus, OrderStatus
from app.domain.quantity import ZERO, Side
from app.domain.task import Anchor, Task


@dataclass(frozen=True, slots=True)
class Child:
    """One child order. `leaves` is what may still fill while it lives.

    With a `stop_price` the broker watches a stop as well, and one way to fill ends the other: at
    `price`, or beyond the stop at `stop_limit_price` or better. Without a `stop_limit_price` it is
    the stop alone, whose limit is `price`.
    """

    id: str
    number: int
    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose
    time_in_force: TimeInForce
    status: ChildStatus
    intended_at: Instant
    quote_at: Instant
    filled: Decimal = ZERO
    broker_order_id: str | None = None
    cancel_requested_at: Instant | None = None
    reason: str | None = None
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None

    @property
    def live(self) -> bool:
        return self.status not in CHILD_DONE

    @property
    def found(self) -> bool:
        """Whether the broker has it, as far as we know: it can be canceled there."""
        return self.status not in (ChildStatus.UNKNOWN, ChildStatus.INTENT)

    @property
    def stops_alone(self) -> bool:
        """Whether it is in no book before its stop is reached."""
        return self.stop_price is not None and self.stop_limit_price is None

    @property
    def leaves(self) -> Decimal:
        return ZERO if self.status in CHILD_DONE else max(self.qty - self.filled, ZERO)


@dataclass(frozen=True, slots=True)
class Crossing:
    """What the last crossing children saw: the same displayed size is not taken twice."""

    quote_at: Instant
    filled_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """The last resting child: when and at what price it was put. A ladder goes on from there: what
    the feed shows at that price or behind it may be that child."""

    number: int
    at: Instant
    price: Decimal


@dataclass(frozen=True, slots=True)
class Execution:
    """One parent order: `filled + working + unknown + unsent + canceled = qty + excess`.

    `working` is reserved by children that are intended, sent or working, `unknown` by those
    whose send had no clear answer, `canceled` is given up for good, `excess` is what the broker
    filled beyond what was asked. `children` holds live ones only. `stop_refused`: the broker once
    refused a child of it that carried a stop.
    """

    task: Task
    status: OrderStatus
    anchor: Anchor
    reason: str | None = None
    filled: Decimal = ZERO
    working: Decimal = ZERO
    unknown: Decimal = ZERO
    canceled: Decimal = ZERO
    excess: Decimal = ZERO
    children: tuple[Child, ...] = ()
    next_child: int = 1
    pause_requested: bool = False
    cancel_reason: str | None = None
    crossing: Crossing | None = None
    rung: Rung | None = None
    rejections: int = 0
    rejected_at: Instant | None = None
    stop_refused: bool = False

    @property
    def unsent(self) -> Decimal:
        asked = self.task.qty + self.excess
        return asked - self.filled - self.working - self.unknown - self.canceled

    @property
    def reserved(self) -> Decimal:
        return self.working + self.unknown

    @property
    def done(self) -> bool:
        return self.status in ORDER_DONE

    def child(self, child_id: str) -> Child | None:
        return next((c for c in self.children if c.id == child_id), None)


def rung_of(children: Iterable[Child]) -> Rung | None:
    """The last of an order's children that rested, finished ones among them."""
    last = max((c for c in children if c.purpose is Purpose.REST), key=_number, default=None)
    return Rung(last.number, last.intended_at, last.price) if last is not None else None


def _number(child: Child) -> int:
    return child.number


def accepted(task: Task) -> Execution:
    """The state of an order that was just accepted."""
    return Execution(task, OrderStatus.ACCEPTED, Anchor(task.start, ZERO))
