"""What the market shows at one moment."""

from dataclasses import dataclass
from decimal import Decimal

from app.domain.instant import Instant
from app.domain.quantity import ZERO, Side
from app.domain.session import Session

ONE = Decimal(1)
_FINE = Decimal("0.000001")


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

    `volume` is what others traded in this symbol since the order's start, estimated where the
    feed's tape has only the share `volume_coverage` of it, and without our own fills, of which the
    tape has `own_volume`; `anchored` is the same since the plan's anchor. `session` is the one open
    now or, outside sessions, the next to open (None when the calendar ends). `profile` is what
    traded in each bin of the volume curve that is over since the session's open (None: the tape
    does not know that bin), for orders whose plan follows it; else empty.
    """

    quote: Quote | None
    last: Decimal | None = None
    last_at: Instant | None = None
    volume: Decimal = ZERO
    session: Session | None = None
    volume_coverage: Decimal = ONE
    own_volume: Decimal = ZERO
    anchored: "Anchored | None" = None
    profile: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Anchored:
    """What others traded since the plan's anchor, and what of our own the tape has since then."""

    volume: Decimal = ZERO
    own: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Traded:
    """What the market traded over an interval: shares, and shares × price."""

    volume: Decimal
    notional: Decimal

    def scaled(self, coverage: Decimal) -> "Traded":
        """The whole of which this is the share `coverage`, at the same mean price."""
        if coverage == ONE:
            return self
        notional = (self.notional / coverage).quantize(_FINE)
        return Traded(whole_volume(self.volume, coverage), notional)

    @property
    def vwap(self) -> Decimal | None:
        """Volume-weighted average price, or None where nothing traded."""
        return self.notional / self.volume if self.volume > 0 else None


def whole_volume(volume: Decimal, coverage: Decimal) -> Decimal:
    """The volume of which this is the share `coverage`."""
    # An estimate has no digits worth keeping beyond these.
    return volume if coverage == ONE else (volume / coverage).quantize(_FINE)


@dataclass(frozen=True, slots=True)
class Bar:
    """What traded in a stretch of time that begins at `at`; `average` is volume-weighted."""

    at: Instant
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    average: Decimal
    trades: int
