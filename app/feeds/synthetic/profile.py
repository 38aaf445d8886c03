"""What a made-up symbol is like, and how much it trades in each part of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from app.domain.instant import DAY, HOUR, MINUTE, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.volume import default_curve
from app.feeds.synthetic.seeded import generator

REGULAR_DAY = 6 * HOUR + 30 * MINUTE
DAY_NOISE = 0.25
BIN_NOISE = 0.15


@dataclass(frozen=True, slots=True)
class Profile:
    """One symbol: its first price, mean daily volume, and volatility of a session's return."""

    price: Decimal
    daily_volume: Decimal
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal(1)
    calendar: str = "XNYS"
    volatility: float = 0.012
    currency: str = "USD"

    def instrument(self, symbol: str) -> Instrument:
        """The profile as an instrument; the smallest child is one lot."""
        return Instrument(symbol, self.tick, self.lot, self.lot, self.calendar, self.currency)


SYMBOLS: Mapping[str, Profile] = MappingProxyType(
    {
        "ACME": Profile(Decimal(100), Decimal(5_000_000)),
        "GLOBEX": Profile(Decimal(40), Decimal(20_000_000)),
        "INITECH": Profile(Decimal(300), Decimal(1_000_000)),
        "COINX": Profile(
            Decimal(60_000),
            Decimal(20_000),
            tick=Decimal("0.1"),
            lot=Decimal("0.001"),
            calendar="24/7",
            volatility=0.02,
        ),
    }
)


def bin_volumes(profile: Profile, stretch: Session, length: Micros, seed: str) -> list[float]:
    """The volume each bin of a stretch is meant to trade; the last bin may be a short one.

    The usual curve with a little noise on the day and on every bin: mild enough that yesterday
    tells something about today.
    """
    curve = default_curve(stretch)
    edges = [*range(stretch.opens_at, stretch.closes_at, length), stretch.closes_at]
    shares = [curve.between(stretch, a, b) for a, b in pairwise(edges)]
    usual = DAY if stretch.round_the_clock else REGULAR_DAY
    random = generator(seed, "volume")
    day = float(profile.daily_volume) * min(stretch.length / usual, 1.0)
    day *= random.lognormal(0, DAY_NOISE) / sum(shares)
    noise = random.lognormal(0, BIN_NOISE, len(shares)).tolist()
    return [day * share * factor for share, factor in zip(shares, noise, strict=True)]
