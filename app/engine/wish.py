"""What a subscriber wants of the stream of events."""

from dataclasses import dataclass

from app.store.controls import EVERYTHING
from app.store.event_log import Event


@dataclass(frozen=True, slots=True)
class Wish:
    """Events of these channels, accounts, orders and symbols; None: of all."""

    channels: frozenset[str]
    accounts: frozenset[str] | None = None
    orders: frozenset[str] | None = None
    symbols: frozenset[str] | None = None

    def wants(self, event: Event) -> bool:
        return (
            event.channel in self.channels
            and (self.accounts is None or _reaches(event, self.accounts))
            and (self.orders is None or event.order_id in self.orders)
            and (self.symbols is None or event.symbol in self.symbols)
        )


def _reaches(event: Event, accounts: frozenset[str]) -> bool:
    # What concerns every account concerns these.
    return event.account in accounts or event.account == EVERYTHING
