"""Prices of one day: a short walk per symbol, the same for the venue and, if heard, for us."""

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from random import Random

from app.domain.execution import Execution
from app.domain.instant import MINUTE, SECOND, Instant
from app.domain.instrument import Instrument
from app.domain.market import Anchored, Market, Quote
from app.domain.quantity import ZERO
from app.domain.session import Session
from app.domain.volume import VolumeCurve, default_curve

OPEN: Instant = 19_700 * 86_400 * SECOND + 52_200 * SECOND
SESSION = Session(OPEN, OPEN + 30 * MINUTE)
SYMBOLS = ("AAA", "BBB", "CCC")

CENT = Decimal("0.01")
PRICES = tuple(Decimal(cents) / 100 for cents in range(12_000))
SIZES = tuple(Decimal(size) for size in range(2_000))


@cache
def curve() -> VolumeCurve:
    return default_curve(SESSION)


@cache
def instrument(symbol: str, lot: int) -> Instrument:
    return Instrument(symbol, CENT, Decimal(lot), Decimal(lot), "XNYS")


@dataclass(slots=True)
class Walk:
    """One symbol's rows: at `ats[k]` the market shows `quotes[k]`, and has traded `volumes[k]`."""

    ats: list[Instant]
    quotes: list[Quote]
    lasts: list[Decimal]
    volumes: list[int]

    def row_at(self, at: Instant) -> int:
        """The row that is shown at a moment; −1 before the first."""
        return bisect_right(self.ats, at) - 1

    def volume_at(self, at: Instant) -> int:
        row = self.row_at(at)
        return self.volumes[row] if row >= 0 else 0


def walk(rng: Random) -> Walk:
    """From a minute before the open to the close, a row every twenty seconds or so."""
    at, bid, volume = OPEN - MINUTE, rng.randint(9_000, 11_000), 0
    bid_at = ask_at = at
    ask = bid + rng.randint(1, 3)
    found = Walk([], [], [], [])
    while at < SESSION.closes_at:
        if rng.random() < 0.75:
            bid, bid_at = bid + rng.randint(-2, 2), at
        if rng.random() < 0.75 or ask <= bid:
            # Locked now and then: no price to trade on.
            ask, ask_at = bid + rng.choice((0, 1, 1, 2, 2, 3)), at
        volume += rng.randint(0, 900)
        found.ats.append(at)
        found.quotes.append(
            Quote(
                PRICES[bid],
                PRICES[ask],
                SIZES[rng.randint(1, 400)],
                SIZES[rng.randint(1, 400)],
                bid_at,
                ask_at,
            )
        )
        found.lasts.append(PRICES[bid])
        found.volumes.append(volume)
        at += rng.randint(8 * SECOND, 32 * SECOND)
    return found


def seen(walk: Walk, row: int, execution: Execution) -> Market:
    """The market of an order as of a row; volume counts from its start, and from its anchor."""
    if row < 0:
        return Market(None, session=SESSION)
    volume = _since(walk, row, execution.task.start)
    anchored = Anchored(_since(walk, row, execution.anchor.at))
    quote, last, at = walk.quotes[row], walk.lasts[row], walk.ats[row]
    return Market(quote, last, at, volume, SESSION, anchored=anchored)


def _since(walk: Walk, row: int, since: Instant) -> Decimal:
    traded = walk.volumes[row] - walk.volume_at(since)
    return Decimal(traded) if traded > 0 else ZERO
