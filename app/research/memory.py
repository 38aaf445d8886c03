"""The venue's ledger for one run: in memory, gone with the run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO, Side
from app.domain.venue.records import (
    CancelRequest,
    Ended,
    Execution,
    Happening,
    Liquidity,
    Order,
    Rested,
)


class RunMemory:
    """Implements `domain.venue.memory.Memory`."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self._cancels: list[CancelRequest] = []
        self._rested: dict[int, Rested] = {}
        self._executions: list[Execution] = []
        self._over: set[int] = set()
        self._taken: dict[tuple[str, Side, Instant], Decimal] = {}
        self._told = 0
        self._seq = 0

    def next_number(self) -> int:
        """The number of the next thing the venue is told."""
        return self._told + 1

    def add_order(self, order: Order) -> None:
        self._told = order.number
        self.orders[order.client_id] = order

    def add_cancel(self, cancel: CancelRequest) -> None:
        self._told = cancel.number
        self._cancels.append(cancel)

    def add(self, event: Happening) -> None:
        self._seq = event.seq
        match event:
            case Execution():
                self._executions.append(event)
                if event.shown_at is not None:
                    key = event.order.symbol, event.order.side, event.shown_at
                    self._taken[key] = self._taken.get(key, ZERO) + event.qty
            case Rested():
                self._rested[event.order.number] = event
            case Ended():
                self._over.add(event.order.number)

    def next_seq(self) -> int:
        return self._seq + 1

    def taken(self, symbol: str, side: Side, shown_at: Instant) -> Decimal:
        return self._taken.get((symbol, side, shown_at), ZERO)

    def open_orders(self) -> Sequence[Order]:
        return [order for order in self.orders.values() if order.number not in self._over]

    def open_cancels(self) -> Sequence[CancelRequest]:
        open_ids = {order.client_id for order in self.open_orders()}
        return [cancel for cancel in self._cancels if cancel.client_id in open_ids]

    def rested_open(self) -> Mapping[int, Rested]:
        return {n: rested for n, rested in self._rested.items() if n not in self._over}

    def executions_open(self) -> Mapping[int, list[Execution]]:
        found: dict[int, list[Execution]] = {}
        for execution in self._executions:
            if execution.order.number not in self._over:
                found.setdefault(execution.order.number, []).append(execution)
        return found

    def made_in(self, symbol: str, after: Instant) -> list[Execution]:
        return [
            e
            for e in self._executions
            if e.at > after and e.order.symbol == symbol and e.liquidity is Liquidity.MAKER
        ]
