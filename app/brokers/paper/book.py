"""One symbol's orders at the venue: who fills next, and how much, by price and then by time."""

from bisect import insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from app.brokers.paper.place import Place, Sight, join, pass_moment, search
from app.brokers.paper.records import Liquidity, Order
from app.domain.instant import Instant
from app.domain.quantity import Side
from app.domain.tape import Tape

Taken = Callable[[Side, Instant], Decimal]
"""What was taken already from the size displayed since this moment, by orders of this side."""


@dataclass(slots=True)
class Working:
    """An order in the book.

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
    """The orders of one symbol that the venue works, best first."""

    def __init__(self) -> None:
        self._works: list[Working] = []
        self._tape: Tape | None = None
        self._next: Instant | None = None

    def __len__(self) -> int:
        return len(self._works)

    def add(self, working: Working) -> None:
        insort(self._works, working, key=lambda w: w.order.priority)
        self._tape = None

    def remove(self, working: Working) -> None:
        self._works.remove(working)
        self._tape = None

    def next_at(self, tape: Tape) -> Instant | None:
        """When the market next fills one of these orders, as far as the tape is known."""
        if tape is not self._tape:
            moments = [self._fills_at(w, tape) for w in self._works]
            self._next = min((m for m in moments if m is not None), default=None)
            self._tape = tape
        return self._next

    def pass_moment(self, tape: Tape, at: Instant) -> tuple[list[Match], list[Working]]:
        """What the prints at `at`, which must be `next_at`, fill of the resting orders, and the
        taking orders that may take again, best first."""
        self._tape = None
        # Decided before anything moves: a taking order may just have begun to rest.
        taking = [w for w in self._works if w.fills_at == at and w.tip and w.tip.taking]
        matches = self._by_prints(tape, at, [w for w in self._works if w not in taking])
        for working in taking:
            _stand(working, Place(True, at, 0))
        return matches, taking

    def _by_prints(self, tape: Tape, at: Instant, works: Sequence[Working]) -> list[Match]:
        matches, used = [], 0
        for working in works:
            if working.fills_at != at and not used:
                continue
            sight = _sight(tape, working)
            volume, place = pass_moment(sight, _latest_before(working, at), at, used)
            _stand(working, place)
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


def _price(tape: Tape, at: Instant, working: Working) -> Decimal:
    """The limit, or better where the far touch is better than it."""
    quote, order = tape.quote(at), working.order
    assert quote is not None, "a print outside a quote fills nobody"
    better = min if order.side is Side.BUY else max
    return better(order.limit, quote.far(order.side))


def _sight(tape: Tape, working: Working) -> Sight:
    return Sight(tape, working.order.side, working.order.limit)


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
        _, place = pass_moment(sight, place, at, units)
    return place
