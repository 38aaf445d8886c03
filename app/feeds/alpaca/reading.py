"""What Alpaca says, as records in the tape's own whole numbers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant, from_datetime
from app.ports import FeedError

PRICE_SCALE = 10_000
SIZE_SCALE = 1

Record = Mapping[str, Any]

NOT_ON_THE_MARKET = frozenset("BWCGHMNPQRUVZ479")
"""Trades that nobody at the market could have been part of, or that are counted elsewhere: official
opens and closes (Q, M, 9), averages and bunched ones (B, W, G), other settlements (C, N, R), prices
of another time or place (4, 7, H, P, V), told out of sequence (U, Z)."""

VOID = frozenset({"canceled", "incorrect"})
"""What the history says of a trade that no longer counts."""


@dataclass(frozen=True, slots=True)
class Print:
    """One trade. `key` is its number at its exchange, hashed; 0 for a whole minute of them."""

    key: int
    at: Instant
    price: int
    size: int


@dataclass(frozen=True, slots=True)
class Level:
    """Best bid and offer from a moment on."""

    at: Instant
    bid: int
    ask: int
    bid_size: int
    ask_size: int


@dataclass(frozen=True, slots=True)
class Struck:
    """A trade is void."""

    key: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """A trade was another than told."""

    key: int
    right: Print | None


@dataclass(frozen=True, slots=True)
class Bar:
    """What traded from `at` on, for the length of the bar; the price is the volume-weighted."""

    at: Instant
    price: int
    volume: int
    open: int
    close: int


def parsed(text: str | bytes) -> Any:
    """JSON with exact decimals. Raises FeedError."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError as broken:
        raise FeedError(f"Alpaca said what is no JSON: {broken}") from broken


def moment(text: str) -> Instant:
    """RFC 3339 with up to nine digits, cut to microseconds. Raises ValueError."""
    return from_datetime(datetime.fromisoformat(text))


def print_of(told: Record) -> Print | None:
    """A trade; None for one that does not count. Raises FeedError."""
    try:
        if not NOT_ON_THE_MARKET.isdisjoint(told.get("c") or ()):
            return None
        key = key_of(told["x"], told["i"])
        price, size = units(told["p"]), int(told["s"])
        return Print(key, moment(told["t"]), price, size) if price > 0 and size > 0 else None
    except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
        raise _unreadable("trade", told) from wrong


def level_of(told: Record) -> Level | None:
    """A quote; None where a side is empty. Raises FeedError."""
    try:
        bid, ask = units(told["bp"]), units(told["ap"])
        shown = int(told["bs"]), int(told["as"])
        return Level(moment(told["t"]), bid, ask, *shown) if min(bid, ask, *shown) > 0 else None
    except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
        raise _unreadable("quote", told) from wrong


def correction_of(told: Record) -> Corrected:
    """Raises FeedError."""
    try:
        right = {"i": told["ci"], "p": told["cp"], "s": told["cs"], "c": told.get("cc")}
        key = key_of(told["x"], told["oi"])
    except (KeyError, TypeError) as wrong:
        raise _unreadable("correction", told) from wrong
    return Corrected(key, print_of({**right, "x": told["x"], "t": told["t"]}))


def struck_of(told: Record) -> Struck:
    """Raises FeedError."""
    try:
        return Struck(key_of(told["x"], told["i"]))
    except (KeyError, TypeError) as wrong:
        raise _unreadable("cancel", told) from wrong


def bar_of(told: Record) -> Bar | None:
    """A bar; None for one in which nothing traded. Raises FeedError."""
    try:
        volume = int(told["v"])
        opened, closed = units(told.get("o") or told["c"]), units(told["c"])
        price = units(told.get("vw") or told["c"])
        if volume <= 0 or min(price, opened, closed) <= 0:
            return None
        return Bar(moment(told["t"]), price, volume, opened, closed)
    except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
        raise _unreadable("bar", told) from wrong


def history_of(rows: Sequence[Record]) -> Iterator[Print | Struck]:
    """Trades as the history has them: what became void since is told as such."""
    for row in rows:
        if row.get("u") in VOID:
            yield struck_of(row)
        elif (found := print_of(row)) is not None:
            yield found


def key_of(exchange: str, number: int) -> int:
    """What tells a trade from every other of its symbol, in this process. Raises TypeError."""
    if not isinstance(exchange, str):
        raise TypeError("an exchange is a letter")
    return hash((exchange, int(number))) or 1


def units(price: Any) -> int:
    """A price in the tape's whole numbers; finer digits are rounded away."""
    return int((Decimal(price) * PRICE_SCALE).to_integral_value())


def _unreadable(what: str, told: Record) -> FeedError:
    return FeedError(f"Alpaca told a {what} that cannot be read: {str(dict(told))[:200]}")
