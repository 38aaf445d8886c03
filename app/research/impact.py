"""A market that notices us: what own fills do to the prices that come after them.

Off unless asked for. Fills of q shares each move every quote and print after them,
away from us, by

    side × price × (permanent × Σ x + temporary × √(Σ x × 4^(−Δ / half_life)))

with x = q / daily_volume, Δ the time since each fill, and `price` the latest fill's (the permanent
part: each fill's own). The sum is rounded to whole ticks. The permanent part is linear in what was
traded (Huberman and Stanzl 2004 allow no other), the temporary part the square root of what was
traded and is not forgotten: of the whole, so that a fill in parts is a fill, and one alone has
fallen to half after `half_life`. Coefficients are fractions of the price: positive = cost. A moved
price is no update: it does not show new size.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import MINUTE, Micros
from app.domain.tape import Tape, frozen
from app.domain.tape_search import Integers, after
from app.domain.venue.records import Execution

Shift = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Impact:
    """Coefficients; `daily_volume` in shares."""

    daily_volume: Decimal
    permanent: float = 0.0
    temporary: float = 0.0
    half_life: Micros = 5 * MINUTE


class ImpactedTape:
    """One run's own view of a tape."""

    def __init__(self, tape: Tape, impact: Impact, tick: Decimal) -> None:
        self.tape = self._base = tape
        self._impact = impact
        self._tick = int(tick * tape.price_scale)
        self._quotes = _Moved(tape.quote_at)
        self._trades = _Moved(tape.trade_at)

    def count(self, fill: Execution) -> None:
        """Move what comes after `fill`."""
        base, scale = self._base, float(fill.price) * self._base.price_scale
        quotes = self._whole(self._quotes.count(fill, self._impact, scale))
        prints = self._whole(self._trades.count(fill, self._impact, scale))
        prices = np.maximum(base.trade_price + prints, self._tick)
        notional = np.concatenate(([0], (prices * base.trade_size).cumsum()))
        moved = {
            "bid": np.maximum(base.bid + quotes, self._tick),
            "ask": np.maximum(base.ask + quotes, self._tick),
            "trade_price": prices,
            "cum_notional": notional + base.cum_notional[0],
        }
        self.tape = replace(base, **frozen(moved))

    def _whole(self, shift: Shift) -> Integers:
        return np.asarray(np.rint(shift / self._tick).astype(np.int64) * self._tick)


class _Moved:
    """How far the rows of one column of times are moved, in units of the tape's prices."""

    def __init__(self, at: Integers) -> None:
        self._at = at
        self._for_good: Shift = np.zeros(len(at))
        self._remembered: Shift = np.zeros(len(at))
        self._for_now: Shift = np.zeros(len(at))

    def count(self, fill: Execution, impact: Impact, scale: float) -> Shift:
        first = after(self._at, fill.at)
        share = float(fill.qty / impact.daily_volume)
        toward = fill.order.side.sign * scale
        # The share fades twice as fast as its square root is to.
        self._remembered[first:] += share * np.exp2(
            -2.0 * (self._at[first:] - fill.at) / impact.half_life
        )
        self._for_good[first:] += toward * impact.permanent * share
        self._for_now[first:] = toward * impact.temporary * np.sqrt(self._remembered[first:])
        return self._for_good + self._for_now
