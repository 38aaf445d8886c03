"""What a subscriber wants of the stream of events."""

from collections.abc import Callable
from dataclasses import dataclass

from app.engine.hub import FellBehind, Gap, Hub
from app.store.controls import EVERYTHING
from app.store.event_log import CHANNELS, Cursor, Event

__all__ = ["CHANNELS", "Cursor", "Event", "FellBehind", "Gap", "Hub", "Wish"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Events of these channels, accounts, orders and symbols; None: of all."""

    channels: frozenset[str]
    accounts: frozenset[str] | None = None
    orders: frozenset[str] | None = None
    symbols: frozenset[str] | None = None

    def after(self, cursor: Cursor) -> Callable[[Event], bool]:
        """The filter of a subscription that begins after a cursor.

        Another server may have told this subscriber more than ours has read yet: what is not
        after its cursor is never told twice.
        """

        # What concerns every account concerns these.
        reached = (self.accounts or frozenset()) | {EVERYTHING}

        def wants(event: Event) -> bool:
            return (
                event.channel in self.channels
                and (self.accounts is None or event.account in reached)
                and (self.orders is None or event.order_id in self.orders)
                and (self.symbols is None or event.symbol in self.symbols)
                and event.cursor > cursor
            )

        return wants
