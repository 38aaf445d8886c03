"""An order's place at the market, and the first moment at which it would fill: pure numpy.

On arrival an order that can take is *taking*: it takes what is displayed, and again whenever that
side updates, until the touch leaves its limit. From then on (or at once) it *rests* and fills only
by prints: those through its limit fill it, those at its limit eat the queue ahead first.

What is ahead never exceeds what is displayed at the order's price at any moment since it rests:
the displayed size when it joins the touch, nothing when it improves it, and unknown (nothing
fills at the limit) while the touch is better, until the touch comes to its price. At one moment
prints come before quotes. A print outside the bid and offer of its moment is not a trade one could
have been part of, and counts for nothing.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import numpy as np

from app.domain.instant import Instant
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.domain.tape_search import Flags, Integers, after, first_settled

UNKNOWN = 1 << 61
"""More is ahead than ever trades: sums of sizes stay below it."""

FIRST_CHUNK = 256
GROWTH = 4


@dataclass(frozen=True, slots=True)
class Place:
    """All rows up to `seen` are taken in; `ahead` is in the tape's own whole numbers."""

    taking: bool
    seen: Instant
    ahead: int


class Sight:
    """One symbol's tape as an order with this side and limit sees it.

    Prices are turned so that lower is always further away from trading for others and better
    for us: a print below `edge` went through the limit, one at it traded at the limit.
    """

    def __init__(self, tape: Tape, side: Side, limit: Decimal) -> None:
        buy = side is Side.BUY
        self.tape = tape
        self.sign = side.sign
        self.near = tape.bid if buy else tape.ask
        self.near_size = tape.bid_size if buy else tape.ask_size
        self.far = tape.ask if buy else tape.bid
        self.far_at = tape.ask_at if buy else tape.bid_at
        units = side.sign * limit * tape.price_scale
        self.edge = int(units.to_integral_value(ROUND_CEILING))
        # A limit between two units of the tape: nothing is ever shown or traded exactly there.
        self.exact = units == self.edge

    def takeable(self, rows: slice | Integers) -> Flags:
        """Whether the far touch is at the limit or better."""
        turned = self.sign * self.far[rows]
        return turned <= self.edge if self.exact else turned < self.edge

    def shown(self, rows: slice | Integers) -> Integers:
        """What each quote row says of the size ahead at the limit."""
        turned = self.sign * self.near[rows]
        at_limit = (turned == self.edge) & self.exact
        better = np.where(turned < self.edge, 0, UNKNOWN)
        return np.where(at_limit, self.near_size[rows], better)

    def prints(self, rows: slice) -> tuple[Integers, Integers]:
        """The volume of each trade row that counts at the limit, and through it."""
        turned = self.sign * self.tape.trade_price[rows]
        size = np.where(self._inside(rows, turned <= self.edge), self.tape.trade_size[rows], 0)
        through = turned < self.edge
        return np.where(through | (not self.exact), 0, size), np.where(through, size, 0)

    def reached(self, rows: slice) -> bool:
        """Whether any of these trades was at the limit or through it."""
        return bool((self.sign * self.tape.trade_price[rows] <= self.edge).any())

    def _inside(self, rows: slice, wanted: Flags) -> Flags:
        tape, inside = self.tape, np.zeros(len(wanted), dtype=np.bool_)
        price, at = tape.trade_price[rows][wanted], tape.trade_at[rows][wanted]
        quote = tape.quote_at.searchsorted(at, side="right") - 1
        if len(tape.quote_at):
            bid, ask = tape.bid[quote], tape.ask[quote]
            low, high = np.minimum(bid, ask), np.maximum(bid, ask)
            inside[wanted] = (quote >= 0) & (low <= price) & (price <= high)
        return inside


def join(sight: Sight, at: Instant) -> Place:
    """The place of an order that arrives at `at`."""
    row = after(sight.tape.quote_at, at) - 1
    if row < 0:
        return Place(False, at, UNKNOWN)
    if sight.takeable(slice(row, row + 1))[0]:
        return Place(True, at, 0)
    return Place(False, at, int(sight.shown(slice(row, row + 1))[0]))


def search(
    sight: Sight, place: Place, since: Instant, until: Instant
) -> tuple[Instant | None, Place]:
    """The first moment in (since, until] at which the order would fill, and its place just
    before. Without one: None, and a place from which to go on, after `until`.

    Nothing filled in (place.seen, since], as an earlier search has found.
    """
    if since >= until:
        return None, place
    if place.taking:
        update, place = _search_update(sight, place, until)
        if update is not None or place.taking:
            return update, place
        since = place.seen
    trades, high = sight.tape.trade_at, after(sight.tape.trade_at, until)
    chunk, found = FIRST_CHUNK, None
    while found is None and since < until:
        low = after(trades, since)
        end = int(trades[low + chunk - 1]) if low + chunk - 1 < high else until
        # Quotes are many: they are read only where a trade came to the limit.
        if sight.reached(slice(low, after(trades, end))):
            found, place = _stretch(sight, place, end)
        since, chunk = end, chunk * GROWTH
    return found, place


def settle(sight: Sight, place: Place, until: Instant) -> Place:
    """The place at `until`, with what may have filled until then left out."""
    if place.seen >= until:
        return place
    if place.taking:
        place = _leave(sight, place, until)
    if place.taking or place.seen >= until:
        return place
    return _stretch(sight, place, until, stop=False)[1]


def pass_moment(sight: Sight, place: Place, at: Instant, used: int) -> tuple[int, Place]:
    """What the prints at `at` would fill without limit, and the place after this moment.

    `used` of their volume went to orders with priority: first of what traded through.
    """
    place = settle(sight, place, at - 1)
    if place.taking:
        return 0, settle(sight, place, at)
    trades = sight.tape.trade_at
    level, through = sight.prints(slice(after(trades, at - 1), after(trades, at)))
    beyond, at_limit = int(through.sum()), int(level.sum())
    left = max(0, at_limit - max(0, used - beyond))
    volume = max(0, beyond - used) + max(0, left - place.ahead)
    ahead = 0 if beyond else _known(max(0, place.ahead - left))
    row = after(sight.tape.quote_at, at) - 1
    if row >= 0 and sight.tape.quote_at[row] == at:
        ahead = min(ahead, int(sight.shown(slice(row, row + 1))[0]))
    return volume, Place(False, at, ahead)


def _search_update(sight: Sight, place: Place, until: Instant) -> tuple[Instant | None, Place]:
    """The next update of the far side while it can be taken; or the place after it left."""
    at = sight.tape.quote_at
    low, high = after(at, place.seen), after(at, until)
    known = sight.far_at[low - 1] if low else -1
    row = first_settled(
        at, low, high, lambda rows: (sight.far_at[rows] > known) | ~sight.takeable(rows)
    )
    if row is None:
        return None, Place(True, until, 0)
    if sight.takeable(slice(row, row + 1))[0]:
        return int(at[row]), place
    return None, _resting_from(sight, row)


def _leave(sight: Sight, place: Place, until: Instant) -> Place:
    at = sight.tape.quote_at
    low, high = after(at, place.seen), after(at, until)
    row = first_settled(at, low, high, lambda rows: ~sight.takeable(rows))
    return _resting_from(sight, row) if row is not None else Place(True, until, 0)


def _resting_from(sight: Sight, row: int) -> Place:
    ahead = int(sight.shown(slice(row, row + 1))[0])
    return Place(False, int(sight.tape.quote_at[row]), ahead)


def _stretch(
    sight: Sight, place: Place, end: Instant, *, stop: bool = True
) -> tuple[Instant | None, Place]:
    """Search (place.seen, end] at once: filled is max(0, V − running minimum of (shown + V)),
    V being what traded at the limit; its first rise is what we look for."""
    tape = sight.tape
    trades = slice(after(tape.trade_at, place.seen), after(tape.trade_at, end))
    printed = tape.trade_at[trades]
    level, through = sight.prints(trades)
    volume = np.concatenate(([0], level.cumsum()))
    rows = _settled_rows(tape.quote_at, after(tape.quote_at, place.seen), after(tape.quote_at, end))
    quoted = tape.quote_at[rows]
    ahead = sight.shown(rows) + volume[printed.searchsorted(quoted, side="right")]
    least = np.minimum.accumulate(np.concatenate(([place.ahead], ahead)))
    before = least[quoted.searchsorted(printed, side="left")]
    hits = (through > 0) | (volume[1:] > before)
    if stop and hits.any():
        at = int(printed[hits.argmax()])
        first = int(printed.searchsorted(at, side="left"))
        return at, Place(False, at - 1, _known(int(before[first] - volume[first])))
    return None, Place(False, end, _known(max(0, int(least[-1] - volume[-1]))))


def _settled_rows(at: Integers, low: int, high: int) -> Integers:
    """Rows in [low, high) that end their moment; `high` lies between two moments."""
    if low >= high:
        return np.empty(0, dtype=np.int64)
    ends = np.append(at[low + 1 : high] != at[low : high - 1], True)
    return low + np.flatnonzero(ends)


def _known(ahead: int) -> int:
    # Unknown minus what traded is still unknown.
    return UNKNOWN if ahead > UNKNOWN // 2 else ahead
