"""Making a tape from raw columns: what cannot be a market record is refused here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from app.domain.instant import Instant
from app.domain.tape import (
    EXACT_LIMIT,
    QUOTE_COLUMNS,
    TRADE_COLUMNS,
    Tape,
    frozen,
    sealed,
)
from app.domain.tape_search import Integers, last_change

TIMES = ("quote_at", "bid_at", "ask_at", "trade_at")
AMOUNTS = ("bid", "ask", "bid_size", "ask_size", "trade_price", "trade_size")


@dataclass(frozen=True, slots=True)
class Quotes:
    """Quote columns for a new tape; without times of the sides they follow from the changes."""

    at: ArrayLike = ()
    bid: ArrayLike = ()
    ask: ArrayLike = ()
    bid_size: ArrayLike = ()
    ask_size: ArrayLike = ()
    bid_at: ArrayLike | None = None
    ask_at: ArrayLike | None = None


@dataclass(frozen=True, slots=True)
class Trades:
    """Trade columns for a new tape."""

    at: ArrayLike = ()
    price: ArrayLike = ()
    size: ArrayLike = ()


def build_tape(
    symbol: str,
    *,
    price_scale: int,
    size_scale: int,
    until: Instant,
    since: Instant | None = None,
    quotes: Quotes | None = None,
    trades: Trades | None = None,
    dropped: Mapping[str, int] | None = None,
) -> Tape:
    """A tape from raw columns. Raises ValueError for columns that cannot be one."""
    for scale in (price_scale, size_scale):
        if scale < 1 or 10 ** (len(str(scale)) - 1) != scale:
            raise ValueError(f"a scale must be a power of ten, not {scale}")
    columns = _quote_columns(quotes or Quotes()) | _trade_columns(trades or Trades())
    _check(symbol, columns)
    known = [columns[name] for name in ("quote_at", "trade_at") if len(columns[name])]
    first = min((int(at[0]) for at in known), default=until)
    if max((int(at[-1]) for at in known), default=until) > until:
        raise ValueError(f"{symbol}: rows after {until}, up to which the tape is known")
    if since is not None and first < since:
        raise ValueError(f"{symbol}: rows before {since}, from which the tape is known")
    return Tape(
        symbol=symbol,
        price_scale=price_scale,
        size_scale=size_scale,
        **frozen(columns | _running(symbol, columns)),
        since=first if since is None else since,
        until=until,
        dropped=sealed(dropped or {}),
    )


def _quote_columns(quotes: Quotes) -> dict[str, Integers]:
    at, bid, ask = _column(quotes.at), _column(quotes.bid), _column(quotes.ask)
    bid_size, ask_size = _column(quotes.bid_size), _column(quotes.ask_size)
    if len({len(column) for column in (at, bid, ask, bid_size, ask_size)}) != 1:
        raise ValueError("quote columns differ in length")
    bid_at = last_change(at, bid, bid_size) if quotes.bid_at is None else _column(quotes.bid_at)
    ask_at = last_change(at, ask, ask_size) if quotes.ask_at is None else _column(quotes.ask_at)
    values = (at, bid, ask, bid_size, ask_size, bid_at, ask_at)
    return dict(zip(QUOTE_COLUMNS, values, strict=True))


def _trade_columns(trades: Trades) -> dict[str, Integers]:
    values = (_column(trades.at), _column(trades.price), _column(trades.size))
    return dict(zip(TRADE_COLUMNS, values, strict=True))


def _column(values: ArrayLike) -> Integers:
    raw = np.asarray(values)
    if raw.size and not np.issubdtype(raw.dtype, np.integer):
        raise ValueError(f"a tape is made of whole numbers, not of {raw.dtype}")
    return raw.astype(np.int64)


def _check(symbol: str, columns: Mapping[str, Integers]) -> None:
    for group in (QUOTE_COLUMNS, TRADE_COLUMNS):
        if len({len(columns[name]) for name in group}) != 1:
            raise ValueError(f"{symbol}: columns differ in length: {', '.join(group)}")
    faults = {
        "runs backwards": [n for n in TIMES if np.any(columns[n][1:] < columns[n][:-1])],
        "lies after its own row": [
            n for n in ("bid_at", "ask_at") if np.any(columns[n] > columns["quote_at"])
        ],
        "must be above zero": [n for n in AMOUNTS if np.any(columns[n] <= 0)],
    }
    for fault, names in faults.items():
        if names:
            raise ValueError(f"{symbol}: {names[0]} {fault}")


def _running(symbol: str, columns: Mapping[str, Integers]) -> dict[str, Integers]:
    price, size = columns["trade_price"], columns["trade_size"]
    if float(price.astype(np.float64) @ size.astype(np.float64)) >= EXACT_LIMIT:
        raise ValueError(f"{symbol}: traded notional does not fit 64 bits; use coarser scales")
    return {
        "cum_volume": np.concatenate(([0], size.cumsum())),
        "cum_notional": np.concatenate(([0], (price * size).cumsum())),
    }
