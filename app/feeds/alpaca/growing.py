"""A tape that grows at its end without being copied: rows are added behind those already seen.

A tape given out is a view on the columns up to a row. What stands before that row is never written
again, so it stays what it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.domain.instant import Instant
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Tape, frozen
from app.domain.tape_build import build_tape
from app.domain.tape_search import Flags, Integers, after
from app.feeds.alpaca.reading import PRICE_SCALE, SIZE_SCALE, Level, Print

LEAST_ROWS = 1_024
SUMS = ("cum_volume", "cum_notional")
KEY = "key"


class _Columns:
    """Columns of one length, with room behind them."""

    def __init__(self, columns: Mapping[str, Integers]) -> None:
        self.rows = len(next(iter(columns.values())))
        room = max(LEAST_ROWS, 2 * self.rows)
        self._columns = {name: _roomy(column, room) for name, column in columns.items()}

    def add(self, row: Mapping[str, int]) -> None:
        if self.rows == len(next(iter(self._columns.values()))):
            # Tapes that were given out keep the old columns.
            room = 2 * self.rows
            self._columns = {name: _roomy(c, room) for name, c in self._columns.items()}
        for name, column in self._columns.items():
            column[self.rows] = row[name]
        self.rows += 1

    def last(self, name: str) -> int | None:
        return int(self._columns[name][self.rows - 1]) if self.rows else None

    def views(self) -> dict[str, Integers]:
        return {name: column[: self.rows] for name, column in self._columns.items()}


class Growing:
    """One symbol's tape from `since` on. Times never run backwards: the caller sees to that."""

    def __init__(self, tape: Tape, keys: Integers) -> None:
        self._tape = tape
        self._quotes = _Columns({name: getattr(tape, name) for name in QUOTE_COLUMNS})
        self._trades = _Columns({n: getattr(tape, n) for n in TRADE_COLUMNS} | {KEY: keys})
        # The sums begin anew: only their differences count.
        self._sums = _Columns({n: getattr(tape, n) - getattr(tape, n)[0] for n in SUMS})

    @classmethod
    def empty(cls, symbol: str, since: Instant) -> "Growing":
        tape = build_tape(
            symbol, price_scale=PRICE_SCALE, size_scale=SIZE_SCALE, since=since, until=since
        )
        return cls(tape, np.empty(0, dtype=np.int64))

    @property
    def since(self) -> Instant:
        return self._tape.since

    @property
    def until(self) -> Instant:
        return self._tape.until

    @property
    def keys(self) -> Integers:
        """The trades' keys, in their order."""
        return self._trades.views()[KEY]

    def quote(self, level: Level, at: Instant) -> None:
        """A quote that is known from `at` on, and was true at its own time.

        A side has spoken when it changed; a quote that changes nothing states both again.
        """
        bid = (level.bid, level.bid_size) != (self._shown("bid"), self._shown("bid_size"))
        ask = (level.ask, level.ask_size) != (self._shown("ask"), self._shown("ask_size"))
        again = not (bid or ask)
        self._quotes.add(
            {
                "quote_at": at,
                "bid": level.bid,
                "ask": level.ask,
                "bid_size": level.bid_size,
                "ask_size": level.ask_size,
                "bid_at": self._spoke("bid_at", level.at, at, spoken=bid or again),
                "ask_at": self._spoke("ask_at", level.at, at, spoken=ask or again),
            }
        )

    def trade(self, told: Print, at: Instant) -> None:
        """A trade that counts from `at` on."""
        price, size = told.price, told.size
        self._trades.add({"trade_at": at, "trade_price": price, "trade_size": size, KEY: told.key})
        volume, notional = self._sums.last("cum_volume"), self._sums.last("cum_notional")
        assert volume is not None, "sums have one row more than there are trades"
        assert notional is not None, "sums have one row more than there are trades"
        self._sums.add({"cum_volume": volume + size, "cum_notional": notional + price * size})

    def reach(self, until: Instant) -> Tape:
        """The tape, known up to `until`."""
        trades = self._trades.views()
        columns = self._quotes.views() | {n: trades[n] for n in TRADE_COLUMNS} | self._sums.views()
        self._tape = replace(self._tape, **frozen(columns), until=until)
        return self._tape

    def trimmed(self, before: Instant) -> "Growing":
        """Without what happened before, but for what held then."""
        tape = self._tape.trimmed(before)
        keys = self.keys[: len(self._tape.trade_at)]
        return Growing(tape, keys[len(keys) - len(tape.trade_at) :].copy())

    def corrected(self, key: int, right: Print | None) -> "Growing | None":
        """With another trade in the place of this one, or none; None where it is not held."""
        hits = np.flatnonzero(self.keys == key)
        if not len(hits):
            return None
        row, tape = int(hits[-1]), self._tape
        columns = {name: getattr(tape, name).copy() for name in TRADE_COLUMNS}
        keys = self.keys[: len(tape.trade_at)].copy()
        kept: Flags = np.ones(len(keys), dtype=np.bool_)
        if right is None:
            kept[row] = False
        else:
            columns["trade_price"][row], columns["trade_size"][row] = right.price, right.size
            keys[row] = right.key
        columns = {name: column[kept] for name, column in columns.items()}
        return Growing(_with_trades(tape, columns), keys[kept])

    def preceded(self, rows: Sequence[Print], since: Instant) -> "Growing":
        """With trades before those it has, known from `since` on."""
        tape = self._tape
        # Its last trade from before it was known is among them, or before them all.
        own = slice(after(tape.trade_at, tape.since - 1), None)
        earlier = {
            "trade_at": [told.at for told in rows],
            "trade_price": [told.price for told in rows],
            "trade_size": [told.size for told in rows],
        }
        columns = {
            name: np.concatenate((np.array(column, dtype=np.int64), getattr(tape, name)[own]))
            for name, column in earlier.items()
        }
        before = np.array([told.key for told in rows], dtype=np.int64)
        keys = np.concatenate((before, self.keys[: len(tape.trade_at)][own]))
        return Growing(replace(_with_trades(tape, columns), since=since), keys)

    def _shown(self, name: str) -> int | None:
        return self._quotes.last(name)

    def _spoke(self, name: str, told_at: Instant, at: Instant, *, spoken: bool) -> Instant:
        last = self._quotes.last(name)
        if not spoken and last is not None:
            return last
        # Never before it spoke last, nor after we heard it.
        return min(max(told_at, last if last is not None else told_at), at)


def _with_trades(tape: Tape, columns: Mapping[str, Integers]) -> Tape:
    price, size = columns["trade_price"], columns["trade_size"]
    sums = {
        "cum_volume": np.concatenate(([0], size.cumsum())),
        "cum_notional": np.concatenate(([0], (price * size).cumsum())),
    }
    return replace(tape, **frozen({**columns, **sums}))


def _roomy(column: Integers, room: int) -> Integers:
    """A copy with room behind it."""
    made = np.empty(max(room, len(column) + 1), dtype=np.int64)
    made[: len(column)] = column
    return made
