"""One symbol's orders at the venue: who fills next, and how much, by price and then by time."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from heapq import heappop, heappush

from app.domain.instant import Instant
from app.domain.quantity import Side
from app.domain.tape import Tape
from app.domain.tape_search import after
from app.domain.venue.place import Place, Sight, join, pass_moment, rows_at, search
from app.domain.venue.records import Liquidity, Order

Taken = Callable[[Side, Instant], Decimal]
"""What was taken already from the size displayed since this moment, by orders of this side."""


# Each is itself alone: ten thousand of them are looked for one by one.
@dataclass(slots=True, eq=False)
class Working:
    """An order in the book. `told_at` is when something last happened to it.

    `place` is what the book is sure of, `tip` a later one that holds as long as no order of
    priority takes from the prints before. Up to `searched` nothing fills it but at `fills_at`.
    `past` holds the moments it lived through before this instance opened, with what orders of
    priority took from their prints.
    """

    order: Order
    filled: Decimal
    notional: Decimal
    place: Place | None = None
    tip: Place | None = None
    searched: Instant = 0
    fills_at: Instant | None = None
    past: Sequence[tuple[Instant, Decimal]] = ()
    told_at: Instant = 0
    sight: Sight | None = None

    @property
    def leaves(self) -> Decimal:
        return self.order.qty - self.filled


@dataclass(frozen=True, slots=True)
class Match:
    """A fill that is to be written."""

    working: Working
    qty: Decimal
    price: Decimal
    liquidity: Liquidity
    shown_at: Instant | None = None


class Book:
    """The orders of one symbol that the venue works, best first.

    A tape that grew is searched for those orders alone that something of it can concern: a
    resting one fills only by a print that reaches its limit.
    """

    def __init__(self) -> None:
        self._sides: dict[Side, list[Working]] = {side: [] for side in Side}
        self._open: dict[int, Working] = {}
        self._fresh: set[Working] = set()
        self._taking: set[Working] = set()
        self._fills: list[tuple[Instant, int]] = []
        self._tape: Tape | None = None
        self._until: Instant = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, working: Working) -> None:
        insort(self._sides[working.order.side], working, key=_priority)
        self._open[working.order.number] = working
        self._fresh.add(working)

    def remove(self, working: Working) -> None:
        works = self._sides[working.order.side]
        del works[bisect_left(works, working.order.priority, key=_priority)]
        del self._open[working.order.number]
        self._fresh.discard(working)
        self._taking.discard(working)

    def next_at(self, tape: Tape) -> Instant | None:
        """When the market next fills one of these orders, as far as the tape is known."""
        if tape is not self._tape:
            self._see(tape)
        while self._fresh:
            self._search(self._fresh.pop(), tape)
        while self._fills and self._stale(*self._fills[0]):
            heappop(self._fills)
        return self._fills[0][0] if self._fills else None

    def pass_moment(self, tape: Tape, at: Instant) -> tuple[list[Match], list[Working]]:
        """What the prints at `at`, which must be `next_at`, fill of the resting orders, and the
        taking orders that may take again, best first."""
        # Decided before anything moves: a taking order may just have begun to rest.
        due, prints = self._due(at), rows_at(tape.trade_at, at)
        taking = [w for w in due if w.tip and w.tip.taking]
        # Those that rest and are due were reached: where all are due, nobody else was.
        reached = due if len(due) == len(self) else self._reached(tape, prints)
        matches = self._by_prints(tape, at, prints, [w for w in reached if w not in taking])
        for working in taking:
            self._stand(working, Place(True, at, 0))
        return matches, taking

    def _see(self, tape: Tape) -> None:
        """A tape that is new, or reaches further than before."""
        if self._tape is not None:
            prints = slice(after(tape.trade_at, self._until), after(tape.trade_at, tape.until))
            self._fresh.update(self._taking, self._reached(tape, prints))
        self._tape, self._until = tape, max(tape.until, self._until)

    def _reached(self, tape: Tape, prints: slice) -> Iterator[Working]:
        """Orders whose limit one of these prints came to, best first."""
        prices = tape.trade_price[prints]
        if not len(prices):
            return
        for side, works in self._sides.items():
            if not works:
                continue
            furthest = int((side.sign * prices).min())
            for working in works:
                if _edge(tape, working) < furthest:
                    break
                yield working

    def _search(self, working: Working, tape: Tape) -> None:
        fills_at = self._fills_at(working, tape)
        if fills_at is not None:
            heappush(self._fills, (fills_at, working.order.number))
        if working.tip is not None and working.tip.taking:
            self._taking.add(working)
        else:
            self._taking.discard(working)

    def _stale(self, at: Instant, number: int) -> bool:
        working = self._open.get(number)
        return working is None or working.fills_at != at

    def _due(self, at: Instant) -> list[Working]:
        numbers = {number for when, number in self._fills if when == at}
        works = [self._open[n] for n in numbers if not self._stale(at, n)]
        return sorted(works, key=_priority)

    def _stand(self, working: Working, place: Place) -> None:
        _stand(working, place)
        self._fresh.add(working)

    def _by_prints(
        self, tape: Tape, at: Instant, prints: slice, works: Sequence[Working]
    ) -> list[Match]:
        matches, used = [], 0
        for working in works:
            if working.fills_at != at and not used:
                continue
            sight = _sight(tape, working)
            volume, place = pass_moment(sight, _latest_before(working, at), at, prints, used)
            self._stand(working, place)
            if volume:
                qty = min(working.leaves, tape.size(volume))
                used += int((qty * tape.size_scale).to_integral_value(ROUND_CEILING))
                matches.append(Match(working, qty, _price(tape, at, working), Liquidity.MAKER))
        return matches

    def _fills_at(self, working: Working, tape: Tape) -> Instant | None:
        # The session's last moment: the close itself belongs to no session.
        until = min(tape.until, working.order.expires_at - 1)
        if working.fills_at is not None or working.searched >= until:
            return working.fills_at
        sight = _sight(tape, working)
        if working.tip is None:
            _stand(working, _remember(sight, working, tape))
        assert working.tip is not None, "an order in the book has a place"
        working.fills_at, working.tip = search(sight, working.tip, working.searched, until)
        working.searched = until
        return working.fills_at


def take(tape: Tape | None, at: Instant, working: Working, taken: Taken) -> Match | None:
    """What the order takes of the size displayed at the far touch, if that is within its limit."""
    quote, order = tape.quote(at) if tape else None, working.order
    if quote is None:
        return None
    side, price = order.side, quote.far(order.side)
    if side.sign * (price - order.limit) > 0:
        return None
    shown_at = quote.far_at(side)
    qty = min(working.leaves, quote.far_size(side) - taken(side, shown_at))
    return Match(working, qty, price, Liquidity.TAKER, shown_at) if qty > 0 else None


def _priority(working: Working) -> tuple[Side, Decimal, int]:
    return working.order.priority


def _edge(tape: Tape, working: Working) -> int:
    """Prints of at most this price, turned as `Sight` turns it, reach the limit."""
    return _sight(tape, working).edge


def _price(tape: Tape, at: Instant, working: Working) -> Decimal:
    """The limit, or better where the far touch is better than it."""
    row, order = after(tape.quote_at, at) - 1, working.order
    assert row >= 0, "a print outside a quote fills nobody"
    better = min if order.side is Side.BUY else max
    return better(order.limit, tape.price(_sight(tape, working).far.item(row)))


def _sight(tape: Tape, working: Working) -> Sight:
    if working.sight is None or working.sight.tape is not tape:
        working.sight = Sight(tape, working.order.side, working.order.limit)
    return working.sight


def _stand(working: Working, place: Place) -> None:
    working.place = working.tip = place
    working.searched, working.fills_at = place.seen, None


def _latest_before(working: Working, at: Instant) -> Place:
    assert working.place is not None, "an order in the book has a place"
    assert working.tip is not None, "an order in the book has a place"
    return working.tip if working.tip.seen < at else working.place


def _remember(sight: Sight, working: Working, tape: Tape) -> Place:
    """The place again, from the tape and from what the ledger says happened since."""
    place = join(sight, working.order.arrives_at)
    for at, used in working.past:
        units = int((used * tape.size_scale).to_integral_value(ROUND_CEILING))
        _, place = pass_moment(sight, place, at, rows_at(tape.trade_at, at), units)
    return place
