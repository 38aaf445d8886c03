"""What the market shows at one moment."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO, Side
from app.domain.session import Session


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and offer. `bid_at` and `ask_at` say when each side last changed."""

    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    bid_at: Instant
    ask_at: Instant

    @property
    def at(self) -> Instant:
        return max(self.bid_at, self.ask_at)

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    @property
    def uncrossed(self) -> bool:
        """A market one can rest in: the bid is strictly below the offer."""
        return self.bid < self.ask

    def near(self, side: Side) -> Decimal:
        """The touch an order of `side` joins when it rests."""
        return self.bid if side is Side.BUY else self.ask

    def far(self, side: Side) -> Decimal:
        """The touch an order of `side` takes when it crosses."""
        return self.ask if side is Side.BUY else self.bid

    def far_size(self, side: Side) -> Decimal:
        return self.ask_size if side is Side.BUY else self.bid_size

    def far_at(self, side: Side) -> Instant:
        return self.ask_at if side is Side.BUY else self.bid_at


@dataclass(frozen=True, slots=True)
class Market:
    """All that a decision may see of the market.

    `volume` is what others traded in this symbol since the order's start; `session` the one
    open now or, outside sessions, the next to open (None when the calendar ends).
    """

    quote: Quote | None
    last: Decimal | None = None
    last_at: Instant | None = None
    volume: Decimal = ZERO
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Traded:
    """What the market traded over an interval: shares, and shares × price."""

    volume: Decimal
    notional: Decimal

    @property
    def vwap(self) -> Decimal | None:
        """Volume-weighted average price, or None where nothing traded."""
        return self.notional / self.volume if self.volume > 0 else None
