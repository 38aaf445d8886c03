"""A venue's own ledger, read as a stranger would: plain SQL on its file.

A ledger is marked before the database is read and read after it. What it held at the mark must
be in the database by then, since intents are committed before they are sent; and whatever the
database knows of the venue must be in the ledger that is read later.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """`ended` is how it ended; None while the venue works it. `late`: taken after its send-by. The
    stop is as that of a child."""

    number: int
    client_id: str
    venue_id: str
    symbol: str
    side: str
    qty: Decimal
    limit_price: Decimal
    received_at: int
    ended: str | None
    late: bool = False
    stop_price: Decimal | None = None
    stop_limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class VenueExecution:
    """`execution_id` is the name by which an adapter tells it: unique in the account."""

    seq: int
    execution_id: str
    client_id: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    fee: Decimal
    at: int
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class Void:
    """An execution that no longer counts. `marked`: it was void at the mark already."""

    execution_id: str
    client_id: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """One account's ledger. `seq` is the last execution at the mark, `number` the last order.

    `orders` are those the venue took, `refused` the client ids it refused. `sent` counts how
    often each client id reached the venue. `machine_time`: its times are the machine's, not the
    market's. `pending` is what the venue has yet to do.
    """

    account: str
    machine_time: bool
    number: int
    seq: int
    orders: tuple[VenueOrder, ...]
    executions: tuple[VenueExecution, ...]
    sent: dict[str, int]
    refused: frozenset[str] = frozenset()
    void: dict[str, Void] = field(default_factory=dict)
    pending: int = 0


class Reader(Protocol):
    """A ledger file that is open for reading."""

    def mark(self) -> None:
        """Note how far the ledger has come."""
        ...

    def read(self) -> list[Ledger]:
        """All of it, at one moment, account by account."""
        ...

    def close(self) -> None: ...
