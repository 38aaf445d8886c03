"""What the venue asks of its ledger, wherever that lies: on disk, or in memory for one run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from app.domain.instant import Instant
from app.domain.quantity import Side
from app.domain.venue.records import CancelRequest, Execution, Happening, Order, Rested


class Memory(Protocol):
    """An append-only ledger."""

    def add(self, event: Happening) -> None:
        """Write what happened."""
        ...

    def next_seq(self) -> int:
        """The number of the next thing that happens."""
        ...

    def taken(self, symbol: str, side: Side, shown_at: Instant) -> Decimal:
        """What orders of `side` took from the size displayed since `shown_at`."""
        ...

    def open_orders(self) -> Sequence[Order]:
        """Orders that have no outcome yet, as they came; some may still be on their way."""
        ...

    def open_cancels(self) -> Sequence[CancelRequest]:
        """Cancels for orders that have no outcome yet."""
        ...

    def rested_open(self) -> Mapping[int, Rested]:
        """How orders without an outcome came into the book, by the order's number."""
        ...

    def executions_open(self) -> Mapping[int, list[Execution]]:
        """Executions of orders without an outcome, by the order's number."""
        ...

    def made_in(self, symbol: str, after: Instant) -> list[Execution]:
        """What resting orders of a symbol filled after a moment, in the order of time."""
        ...
