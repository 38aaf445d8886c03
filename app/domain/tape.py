"""The market record of one symbol: immutable columns that are searched, never stepped through.

Prices and sizes are whole numbers of 1/`price_scale` and 1/`size_scale`, so that sums are exact.
Rows may share a time; the state at a moment is the state after all rows at or before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from app.domain.instant import Instant
from app.domain.market import Bar, Quote, Traded
from app.domain.tape_condition import Book, BookSide, ceiling, condition
from app.domain.tape_search import Integers, after, first_settled
from app.domain.trigger import Trigger, VolumeReaches

EXACT_LIMIT = 1 << 62
"""Sums stay below half of what int64 holds; the check itself is in floating point."""


@dataclass(frozen=True, slots=True)
class Prints:
    """Trades of one stretch, in the tape's own whole numbers."""

    at: Integers
    price: Integers
    size: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """What one symbol's market did, known from `since` up to `until`.

    `bid_at` and `ask_at` say for every quote row when that side last changed or was stated
    again. `cum_volume` and `cum_notional` have one entry more than there are trades: entry i is
    what was traded before row i. `dropped` counts rows the loader left out, by reason.
    """

    symbol: str
    price_scale: int
    size_scale: int
    quote_at: Integers
    bid: Integers
    ask: Integers
    bid_size: Integers
    ask_size: Integers
    bid_at: Integers
    ask_at: Integers
    trade_at: Integers
    trade_price: Integers
    trade_size: Integers
    cum_volume: Integers
    cum_notional: Integers
    since: Instant
    until: Instant
    dropped: Mapping[str, int] = field(default_factory=dict)

    def quote(self, at: Instant) -> Quote | None:
        """The best bid and offer at `at`; None before both sides were known."""
        i = after(self.quote_at, at) - 1
        if i < 0:
            return None
        return Quote(
            bid=self.price(self.bid.item(i)),
            ask=self.price(self.ask.item(i)),
            bid_size=self.size(self.bid_size.item(i)),
            ask_size=self.size(self.ask_size.item(i)),
            bid_at=self.bid_at.item(i),
            ask_at=self.ask_at.item(i),
        )

    def last(self, at: Instant) -> tuple[Decimal, Instant] | None:
        """Price and time of the last trade at or before `at`."""
        i = after(self.trade_at, at) - 1
        if i < 0:
            return None
        return self.price(self.trade_price.item(i)), self.trade_at.item(i)

    def traded(self, start: Instant, end: Instant) -> Traded:
        """What traded in (start, end]; nothing is known, and so counted, before `since`."""
        low = self._trades_until(start)
        high = max(self._trades_until(end), low)
        volume = int(self.cum_volume[high] - self.cum_volume[low])
        notional = int(self.cum_notional[high] - self.cum_notional[low])
        return Traded(
            Decimal(volume) / self.size_scale,
            Decimal(notional) / (self.price_scale * self.size_scale),
        )

    def volume(self, start: Instant, end: Instant) -> Decimal:
        """The volume of `traded`."""
        low = self._trades_until(start)
        high = max(self._trades_until(end), low)
        return self.size(self.cum_volume.item(high) - self.cum_volume.item(low))

    def volumes(self, edges: Integers) -> Integers:
        """What traded between each two of these sorted moments, in units of 1/`size_scale`;
        the first is excluded and the second included, as in `traded`."""
        rows = self.trade_at.searchsorted(edges, side="right")
        return np.diff(self.cum_volume[rows])

    def prints(self, start: Instant, end: Instant) -> Prints:
        """The trades in (start, end], as views on the columns."""
        rows = slice(self._trades_until(start), self._trades_until(end))
        return Prints(self.trade_at[rows], self.trade_price[rows], self.trade_size[rows])

    def bar(self, start: Instant, end: Instant) -> Bar | None:
        """What traded in [start, end); None where nothing did."""
        prints = self.prints(start - 1, end - 1)
        average = self.traded(start - 1, end - 1).vwap
        if average is None:
            return None
        return Bar(
            at=start,
            open=self.price(prints.price[0]),
            high=self.price(prints.price.max()),
            low=self.price(prints.price.min()),
            close=self.price(prints.price[-1]),
            volume=self.traded(start - 1, end - 1).volume,
            average=average,
            trades=len(prints.at),
        )

    def last_size(self, at: Instant) -> Decimal | None:
        """The size of the last trade at or before `at`."""
        i = after(self.trade_at, at) - 1
        return self.size(self.trade_size[i]) if i >= 0 else None

    def next_event(self, moment: Instant) -> Instant | None:
        """The first time after `moment` at which the tape has a row."""
        upcoming = [
            int(column[i])
            for column in (self.quote_at, self.trade_at)
            if (i := after(column, moment)) < len(column)
        ]
        return min(upcoming, default=None)

    def first(self, trigger: Trigger, start: Instant, until: Instant) -> Instant | None:
        """The first row's time in (start, until] at which `trigger` holds.

        Whether it held already at `start` is not asked: nobody waits for what is there.
        """
        if isinstance(trigger, VolumeReaches):
            return self._volume_reached(trigger, start, until)
        low, high = after(self.quote_at, start), after(self.quote_at, until)
        row = first_settled(self.quote_at, low, high, condition(trigger, self._book()))
        return int(self.quote_at[row]) if row is not None else None

    def _volume_reached(
        self, trigger: VolumeReaches, start: Instant, until: Instant
    ) -> Instant | None:
        base = int(self.cum_volume[self._trades_until(trigger.since)])
        needed = base + ceiling(trigger.volume, self.size_scale)
        # The first entry that reaches `needed` counts the row before it.
        reached = int(self.cum_volume.searchsorted(needed, side="left")) - 1
        row = max(reached, after(self.trade_at, start))
        if row >= len(self.trade_at) or self.trade_at[row] > until:
            return None
        return int(self.trade_at[row])

    def extended(self, later: "Tape") -> "Tape":
        """This tape followed by a later one of the same symbol and scales."""
        if self._identity() != later._identity():
            raise ValueError(f"{later._identity()} does not continue {self._identity()}")
        if _starts_before(later.quote_at, self.quote_at) or _starts_before(
            later.trade_at, self.trade_at
        ):
            raise ValueError(f"{self.symbol}: the later tape starts before this one ends")
        joined = {
            name: np.concatenate((getattr(self, name), getattr(later, name)))
            for name in (*QUOTE_COLUMNS, *TRADE_COLUMNS)
        }
        reasons = {**self.dropped, **later.dropped}
        dropped = {r: self.dropped.get(r, 0) + later.dropped.get(r, 0) for r in reasons}
        until = max(self.until, later.until)
        return replace(
            self, **frozen(joined), **self._sums(later), until=until, dropped=sealed(dropped)
        )

    def trimmed(self, before: Instant) -> "Tape":
        """Without the rows before `before`, but for the quote and the last trade that held then."""
        if before <= self.since:
            return self
        first_quote = max(after(self.quote_at, before - 1) - 1, 0)
        first_trade = max(after(self.trade_at, before - 1) - 1, 0)
        kept = {name: getattr(self, name)[first_quote:].copy() for name in QUOTE_COLUMNS}
        kept |= {
            name: getattr(self, name)[first_trade:].copy()
            for name in (*TRADE_COLUMNS, "cum_volume", "cum_notional")
        }
        return replace(self, **frozen(kept), since=before, until=max(before, self.until))

    def price(self, units: int | np.int64) -> Decimal:
        """A price column's number as a price."""
        return _decimal(int(units), self.price_scale)

    def size(self, units: int | np.int64) -> Decimal:
        """A size column's number as a quantity."""
        return _decimal(int(units), self.size_scale)

    def _trades_until(self, moment: Instant) -> int:
        # A trimmed tape still holds the last trade before `since`; it counts as a price only.
        return after(self.trade_at, max(moment, self.since - 1))

    def _book(self) -> Book:
        return Book(
            BookSide(self.bid, self.bid_size, self.bid_at),
            BookSide(self.ask, self.ask_size, self.ask_at),
            self.price_scale,
            self.size_scale,
        )

    def _identity(self) -> tuple[str, int, int]:
        return self.symbol, self.price_scale, self.size_scale

    def _sums(self, later: "Tape") -> dict[str, Any]:
        joined = {}
        for name in ("cum_volume", "cum_notional"):
            mine, theirs = getattr(self, name), getattr(later, name)
            added = theirs - theirs[0]
            if int(mine[-1]) + int(added[-1]) >= EXACT_LIMIT:
                raise ValueError(f"{self.symbol}: {name} no longer fits 64 bits; trim the tape")
            joined[name] = np.concatenate((mine, mine[-1] + added[1:]))
        return frozen(joined)


@lru_cache(maxsize=1024)
def _decimal(units: int, scale: int) -> Decimal:
    # A day has few prices and sizes, and asks for each again and again.
    return Decimal(units) / scale


QUOTE_COLUMNS = ("quote_at", "bid", "ask", "bid_size", "ask_size", "bid_at", "ask_at")
TRADE_COLUMNS = ("trade_at", "trade_price", "trade_size")


def frozen(columns: Mapping[str, Integers]) -> dict[str, Any]:
    """The columns, never to be written again."""
    for column in columns.values():
        column.flags.writeable = False
    return dict(columns)


def sealed(dropped: Mapping[str, int]) -> Mapping[str, int]:
    """The counts above zero, never to be written again."""
    return MappingProxyType({reason: count for reason, count in dropped.items() if count})


def _starts_before(later: Integers, earlier: Integers) -> bool:
    return len(later) > 0 and len(earlier) > 0 and bool(later[0] < earlier[-1])
