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

FIRST_CHUNK = 16
GROWTH = 4


@dataclass(frozen=True, slots=True)
class Prints:
    """Trades that count for an order: `level` is what of their `size` traded at the limit, all of
    it but where they went `through` it."""

    at: Integers
    level: Integers
    size: Integers
    through: Flags


@dataclass(frozen=True, slots=True)
class Place:
    """All rows up to `seen` are taken in; `ahead` is in the tape's own whole numbers."""

    taking: bool
    seen: Instant
    ahead: int


class Sight:
    """One symbol's tape as an order with this side and limit sees it.

    Turned by the side's sign, a lower price is always further away from trading for others and
    better for us: a print below `edge` went through the limit, one at it traded at the limit. Rows
    are compared as they are, with `limit`: `edge` turned back.
    """

    def __init__(self, tape: Tape, side: Side, limit: Decimal) -> None:
        buy = side is Side.BUY
        self.tape = tape
        self.sign = side.sign
        self.within = np.less_equal if buy else np.greater_equal
        self.beyond = np.less if buy else np.greater
        self.near = tape.bid if buy else tape.ask
        self.near_size = tape.bid_size if buy else tape.ask_size
        self.far = tape.ask if buy else tape.bid
        self.far_at = tape.ask_at if buy else tape.bid_at
        units = side.sign * limit * tape.price_scale
        self.edge = int(units.to_integral_value(ROUND_CEILING))
        # A limit between two units of the tape: nothing is ever shown or traded exactly there.
        self.exact = units == self.edge
        self.limit = side.sign * self.edge

    def takeable(self, rows: slice | Integers) -> Flags:
        """Whether the far touch is at the limit or better."""
        return (self.within if self.exact else self.beyond)(self.far[rows], self.limit)

    def shown(self, rows: slice | Integers) -> Integers:
        """What each quote row says of the size ahead at the limit."""
        near = self.near[rows]
        ahead = np.where(self.beyond(near, self.limit), 0, UNKNOWN)
        if self.exact:
            np.copyto(ahead, self.near_size[rows], where=near == self.limit)
        return ahead

    def takeable_at(self, row: int) -> bool:
        turned = self.sign * self.far.item(row)
        return turned <= self.edge if self.exact else turned < self.edge

    def shown_at(self, row: int) -> int:
        turned = self.sign * self.near.item(row)
        if turned < self.edge:
            return 0
        return self.near_size.item(row) if self.exact and turned == self.edge else UNKNOWN

    def reaching(self, trades: slice) -> Integers:
        """Which of these trade rows came to the limit, or through it."""
        reach = self.within(self.tape.trade_price[trades], self.limit)
        rows: Integers = trades.start + reach.nonzero()[0]
        return rows

    def counted(self, reaching: Integers) -> Prints:
        """Of these rows, which came to the limit, those inside their moment's bid and offer."""
        tape = self.tape
        at, price = tape.trade_at[reaching], tape.trade_price[reaching]
        quote = tape.quote_at.searchsorted(at, side="right") - 1
        known = quote >= 0
        if not known.all():
            return self.counted(reaching[known])
        bid, ask = tape.bid[quote], tape.ask[quote]
        inside = (np.minimum(bid, ask) <= price) & (price <= np.maximum(bid, ask))
        if not inside.all():
            return self.counted(reaching[inside])
        through = self.beyond(price, self.limit)
        size = tape.trade_size[reaching]
        level = np.where(through, 0, size) if self.exact else np.zeros_like(size)
        return Prints(at, level, size, through)


def join(sight: Sight, at: Instant) -> Place:
    """The place of an order that arrives at `at`."""
    row = after(sight.tape.quote_at, at) - 1
    if row < 0:
        return Place(False, at, UNKNOWN)
    if sight.takeable_at(row):
        return Place(True, at, 0)
    return Place(False, at, sight.shown_at(row))


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
    low = after(trades, since)
    while found is None and since < until:
        last = low + chunk - 1
        end, over = (
            (int(trades[last]), after(trades, trades[last])) if last < high else (until, high)
        )
        # Quotes are many: they are read only where a trade came to the limit.
        reaching = sight.reaching(slice(low, over))
        if len(reaching):
            found, place = _stretch(sight, place, end, sight.counted(reaching))
        since, low, chunk = end, over, chunk * GROWTH
    return found, place


def settle(sight: Sight, place: Place, until: Instant) -> Place:
    """The place at `until`, with what may have filled until then left out."""
    if place.seen >= until:
        return place
    if place.taking:
        place = _leave(sight, place, until)
    if place.taking or place.seen >= until:
        return place
    trades = sight.tape.trade_at
    reaching = sight.reaching(slice(after(trades, place.seen), after(trades, until)))
    return _stretch(sight, place, until, sight.counted(reaching), stop=False)[1]


def rows_at(at: Integers, moment: Instant) -> slice:
    """The rows of one moment."""
    return slice(after(at, moment - 1), after(at, moment))


def pass_moment(
    sight: Sight, place: Place, at: Instant, trades: slice, used: int
) -> tuple[int, Place]:
    """What the prints at `at`, which are these `trades`, would fill without limit, and the place
    after this moment.

    `used` of their volume went to orders with priority: first of what traded through.
    """
    place = settle(sight, place, at - 1)
    if place.taking:
        return 0, settle(sight, place, at)
    prints = sight.counted(sight.reaching(trades))
    # One moment has few prints.
    at_limit = sum(prints.level.tolist())
    beyond = sum(prints.size[prints.through].tolist())
    left = max(0, at_limit - max(0, used - beyond))
    volume = max(0, beyond - used) + max(0, left - place.ahead)
    ahead = 0 if beyond else _known(max(0, place.ahead - left))
    row = after(sight.tape.quote_at, at) - 1
    if row >= 0 and sight.tape.quote_at[row] == at:
        ahead = min(ahead, sight.shown_at(row))
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
    if sight.takeable_at(row):
        return int(at[row]), place
    return None, _resting_from(sight, row)


def _leave(sight: Sight, place: Place, until: Instant) -> Place:
    at = sight.tape.quote_at
    low, high = after(at, place.seen), after(at, until)
    row = first_settled(at, low, high, lambda rows: ~sight.takeable(rows))
    return _resting_from(sight, row) if row is not None else Place(True, until, 0)


def _resting_from(sight: Sight, row: int) -> Place:
    return Place(False, int(sight.tape.quote_at[row]), sight.shown_at(row))


def _stretch(
    sight: Sight, place: Place, end: Instant, prints: Prints, *, stop: bool = True
) -> tuple[Instant | None, Place]:
    """Search (place.seen, end] at once, with all the prints in it that count: filled is
    max(0, V − running minimum of (shown + V)), V being what traded at the limit; its first rise
    is what we look for."""
    quote_at, printed = sight.tape.quote_at, prints.at
    volume = np.zeros(len(printed) + 1, dtype=np.int64)
    prints.level.cumsum(out=volume[1:])
    rows = _settled_rows(quote_at, after(quote_at, place.seen), after(quote_at, end))
    quoted = quote_at[rows]
    least = np.empty(len(quoted) + 1, dtype=np.int64)
    least[0] = place.ahead
    np.add(sight.shown(rows), volume[printed.searchsorted(quoted, side="right")], out=least[1:])
    np.minimum.accumulate(least, out=least)
    if stop:
        before = least[quoted.searchsorted(printed, side="left")]
        hits = (prints.through | (volume[1:] > before)).nonzero()[0]
        if len(hits):
            at = int(printed[hits[0]])
            first = int(printed.searchsorted(at, side="left"))
            return at, Place(False, at - 1, _known(int(before[first] - volume[first])))
    return None, Place(False, end, _known(max(0, int(least[-1] - volume[-1]))))


def _settled_rows(at: Integers, low: int, high: int) -> slice | Integers:
    """Rows in [low, high) that end their moment; `high` lies between two moments."""
    if low >= high:
        return slice(low, low)
    ends = np.ones(high - low, dtype=np.bool_)
    np.not_equal(at[low + 1 : high], at[low : high - 1], out=ends[:-1])
    # Mostly all do, and a slice copies nothing.
    if np.count_nonzero(ends) == len(ends):
        return slice(low, high)
    return low + ends.nonzero()[0]


def _known(ahead: int) -> int:
    # Unknown minus what traded is still unknown.
    return UNKNOWN if ahead > UNKNOWN // 2 else ahead
