"""Rows that cannot be market records are taken out, each with its reason; the rest is in order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.tape_search import Flags, Integers
from app.tapes.moments import NO_TIME
from app.tapes.raw import Floats, RawBars, RawQuotes, RawTrades, T, chosen_rows

HAIR = 1e-9
"""What floating point adds to a price."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows of one kind of fault: their times, and one of them in words."""

    name: str
    at: Integers
    example: str


def clean_bars(raw: RawBars, *, descending: bool) -> tuple[RawBars, list[Fault]]:
    """Bars in order, each of a time of its own, in which something traded."""
    columns = (raw.open, raw.high, raw.low, raw.close, raw.volume)
    raw, faults = _readable(raw, columns)
    raw, more = _in_order(raw, descending)
    faults += more
    raw, more = _without(raw, "duplicate_time", _repeated(raw.at), _bar_text)
    faults += more
    lowest = np.minimum.reduce((raw.open, raw.high, raw.low, raw.close))
    raw, more = _without(raw, "no_price", lowest <= 0, _bar_text)
    faults += more
    raw, more = _without(raw, "negative_volume", raw.volume < 0, _bar_text)
    faults += more
    top, bottom = np.maximum(raw.open, raw.close), np.minimum(raw.open, raw.close)
    outside = (top > raw.high + HAIR) | (bottom < raw.low - HAIR)
    raw, more = _without(raw, "price_outside_bar", outside, _bar_text)
    faults += more
    empty = raw.volume == 0
    before = np.concatenate((raw.open[:1], raw.close[:-1]))
    moved = empty & ((raw.high > raw.low) | (raw.close != before))
    faults += _named(raw, "zero_volume_move", moved, _bar_text)
    faults += _named(raw, "zero_volume", empty & ~moved, _bar_text)
    raw = chosen_rows(raw, ~empty)
    return raw, [*faults, *_averages(raw)]


def clean_trades(raw: RawTrades, *, descending: bool) -> tuple[RawTrades, list[Fault]]:
    raw, faults = _readable(raw, (raw.price, raw.size))
    raw, more = _in_order(raw, descending)
    faults += more
    raw, more = _without(raw, "no_price", raw.price <= 0, _trade_text)
    faults += more
    raw, more = _without(raw, "negative_volume", raw.size < 0, _trade_text)
    faults += more
    raw, more = _without(raw, "no_size", raw.size == 0, _trade_text)
    return raw, [*faults, *more]


def clean_quotes(raw: RawQuotes, *, descending: bool) -> tuple[RawQuotes, list[Fault]]:
    """Quotes with both sides; a locked book (bid = offer) is real and stays."""
    raw, faults = _readable(raw, (raw.bid, raw.ask, raw.bid_size, raw.ask_size))
    raw, more = _in_order(raw, descending)
    faults += more
    least = np.minimum.reduce((raw.bid, raw.ask, raw.bid_size, raw.ask_size))
    raw, more = _without(raw, "one_sided_quotes", least <= 0, _quote_text)
    faults += more
    raw, more = _without(raw, "crossed_quotes", raw.bid > raw.ask + HAIR, _quote_text)
    faults += more
    return raw, [*faults, *_named(raw, "locked_quotes", raw.bid == raw.ask, _quote_text)]


def _readable(raw: T, columns: Sequence[Floats]) -> tuple[T, list[Fault]]:
    unknown = raw.at == NO_TIME
    broken = unknown | ~np.logical_and.reduce([np.isfinite(column) for column in columns])
    if not broken.any():
        return raw, []
    first = int(broken.argmax())
    what = "no time that can be read" if unknown[first] else "a number is missing or none"
    faults = [Fault("unreadable", raw.at[broken], f"{raw.origin.of(first)}: {what}")]
    return chosen_rows(raw, ~broken), faults


def _in_order(raw: T, descending: bool) -> tuple[T, list[Fault]]:
    """Rows in order of time; those of one time as they came."""
    if descending:
        raw = chosen_rows(raw, slice(None, None, -1))
    late = np.zeros(len(raw.at), dtype=np.bool_)
    late[1:] = raw.at[1:] < np.maximum.accumulate(raw.at)[:-1]
    # Between files nothing is said about order: they are taken as they are named.
    late[1:] &= raw.origin.file[1:] == raw.origin.file[:-1]
    faults = list(_named(raw, "time_backwards", late, lambda raw, i: "earlier than the row before"))
    if np.any(raw.at[1:] < raw.at[:-1]):
        raw = chosen_rows(raw, np.argsort(raw.at, kind="stable"))
    return raw, faults


def _repeated(at: Integers) -> Flags:
    repeated = np.zeros(len(at), dtype=np.bool_)
    repeated[1:] = at[1:] == at[:-1]
    return repeated


def _without(
    raw: T, name: str, wrong: Flags, text: Callable[[T, int], str]
) -> tuple[T, list[Fault]]:
    faults = list(_named(raw, name, wrong, text))
    return (chosen_rows(raw, ~wrong), faults) if faults else (raw, faults)


def _named(raw: T, name: str, wrong: Flags, text: Callable[[T, int], str]) -> Iterator[Fault]:
    if wrong.any():
        first = int(wrong.argmax())
        yield Fault(name, raw.at[wrong], f"{raw.origin.of(first)}: {text(raw, first)}")


def _averages(raw: RawBars) -> Iterator[Fault]:
    if raw.average is not None:
        outside = (raw.average > raw.high + HAIR) | (raw.average < raw.low - HAIR)
        yield from _named(raw, "average_outside_bar", outside, _average_text)


def _bar_text(raw: RawBars, row: int) -> str:
    prices = (raw.open[row], raw.high[row], raw.low[row], raw.close[row])
    told = "/".join(f"{price:g}" for price in prices)
    return f"open/high/low/close {told}, volume {raw.volume[row]:g}"


def _average_text(raw: RawBars, row: int) -> str:
    assert raw.average is not None, "only averages are told"
    return f"average {raw.average[row]:g} outside of [{raw.low[row]:g}, {raw.high[row]:g}]"


def _trade_text(raw: RawTrades, row: int) -> str:
    return f"price {raw.price[row]:g}, size {raw.size[row]:g}"


def _quote_text(raw: RawQuotes, row: int) -> str:
    return (
        f"bid {raw.bid[row]:g} x {raw.bid_size[row]:g},"
        f" ask {raw.ask[row]:g} x {raw.ask_size[row]:g}"
    )
