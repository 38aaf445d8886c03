"""What a venue keeps of each order, and who watches it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from app.domain.instant import Instant
from app.domain.lifecycle import ChildStatus
from app.domain.quantity import ZERO
from app.ports import ExecutionReport, OrderReport, Report, Terms, Ticket

OPEN = (ChildStatus.WORKING, ChildStatus.PARTIALLY_FILLED)


@dataclass(slots=True)
class Placed:
    """One order at the venue. Look-ups find it from `shows_at` on; `said` holds every state it
    had, since they lag behind those too."""

    ticket: Ticket
    broker_id: str
    opened_at: Instant
    shows_at: Instant
    status: ChildStatus = ChildStatus.WORKING
    filled: Decimal = ZERO
    leaves: Decimal = ZERO
    said: list[OrderReport] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def terms(self) -> Terms:
        asked = self.ticket
        return Terms(asked.symbol, asked.side, asked.qty, asked.limit_price)


@dataclass(slots=True)
class Execution:
    """One line of the ledger; the executions list shows it from `visible_at` on."""

    report: ExecutionReport
    placed: Placed
    visible_at: Instant
    void: bool = False


class Line(Protocol):
    """Where a venue tells what happened; it may lose, delay or repeat it."""

    def tell(self, report: Report) -> None: ...


class Ledger(Protocol):
    """Who watches what really happens at the venue."""

    def placed(self, placed: Placed) -> None: ...
    def moved(self, placed: Placed) -> None: ...
    def beyond(self, child_id: str, qty: Decimal) -> None: ...
    def voided(self, child_id: str, qty: Decimal) -> None: ...


def net(placed: Sequence[Placed]) -> dict[str, Decimal]:
    """What each client id filled, whatever was busted taken off."""
    filled: dict[str, Decimal] = {}
    for order in placed:
        child_id = order.ticket.child_id
        filled[child_id] = filled.get(child_id, ZERO) + order.filled
    return filled
