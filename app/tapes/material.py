"""What there is of one symbol in a source, ready to be read: the same for every kind of file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np

from app.domain.instant import DAY, Micros
from app.domain.session import Session
from app.domain.tape import Prints
from app.domain.tape_search import Integers, last_change
from app.tapes.clean import Fault, clean_bars, clean_quotes, clean_trades
from app.tapes.detect_time import Hours
from app.tapes.manifest import Kind
from app.tapes.pieces import BarsPiece, Piece, Scales, TicksPiece, far_from_sessions
from app.tapes.raw import Floats, RawBars, RawQuotes, RawTrades, T, chosen_rows
from app.tapes.reading.bars import Bars, Prices, around
from app.tapes.reading.layout import Layout, TableKind
from app.tapes.reading.recording import NO_BOOK, NO_PRINTS, Book, Recording
from app.tapes.stated import Statement
from app.tapes.tables import read_table
from app.tapes.volume_faults import absurd, fault, spikes, usual_day

Read = tuple[Piece, Sequence[Fault]]


@dataclass(frozen=True, slots=True)
class Material:
    """One symbol of a source. `read` gives its pieces in order of time."""

    symbol: str
    files: tuple[Path, ...]
    scales: Scales
    tick: Decimal
    lot: Decimal
    currency: str
    quotes: str
    read: Callable[[], Iterator[Read]]
    statements: tuple[Statement, ...] = ()
    adjusted: str = "not said"
    splits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Files that make one dataset."""

    name: str
    vendor: str
    kind: Kind
    calendar: str
    bar_length: Micros | None
    materials: tuple[Material, ...]
    statements: tuple[Statement, ...] = ()


def scales_of(tick: Decimal, lot: Decimal, decimals: int) -> Scales:
    price = 10 ** max(_decimals(tick), decimals)
    size = 10 ** _decimals(lot)
    return Scales(price, size, int(tick * price), int(lot * size))


def bars_piece(layout: Layout, files: Sequence[Path], scales: Scales, hours: Hours) -> Read:
    """All bars of a symbol: what is odd is judged by its own history. Raises TapeError."""
    read = read_table(layout, files)
    assert isinstance(read, RawBars), "a layout of bars gives bars"
    raw, faults = clean_bars(read, descending=layout.descending)
    if layout.bar_length < DAY:
        raw, more = _open_days(raw, hours)
        faults += more
        raw, more = _sane(raw, raw.volume, hours.around(raw.at))
        faults += more
    prices = Prices(*(units(c, scales.price) for c in (raw.open, raw.high, raw.low, raw.close)))
    volume = units(raw.volume, scales.size)
    return BarsPiece(Bars(raw.at, layout.bar_length, prices, volume), None), faults


def ticks_piece(
    tables: Mapping[TableKind, tuple[Layout, Sequence[Path]]], scales: Scales, hours: Hours
) -> Read:
    """Trades, quotes or both. Raises TapeError."""
    faults: list[Fault] = []
    book, prints = NO_BOOK, NO_PRINTS
    if TableKind.TRADES in tables:
        layout, files = tables[TableKind.TRADES]
        read = read_table(layout, files)
        assert isinstance(read, RawTrades), "a layout of trades gives trades"
        trades, found = clean_trades(read, descending=layout.descending)
        trades, closed = _open_days(trades, hours)
        trades, odd = _sane(trades, trades.size, hours.around(trades.at))
        faults += [*found, *closed, *odd]
        price, size = units(trades.price, scales.price), units(trades.size, scales.size)
        prints = Prints(trades.at, price, size)
        book = around(prints.at, prints.price, np.maximum(size, scales.lot), scales.tick)
    if TableKind.QUOTES in tables:
        layout, files = tables[TableKind.QUOTES]
        read = read_table(layout, files)
        assert isinstance(read, RawQuotes), "a layout of quotes gives quotes"
        quotes, found = clean_quotes(read, descending=layout.descending)
        quotes, closed = _open_days(quotes, hours)
        faults += [*found, *closed]
        book = _book(quotes, scales)
    compared = len(tables) == 2 and not tables[TableKind.TRADES][0].one_venue
    recording = Recording(scales.price, scales.size, book, prints, {}, trusted=not compared)
    return TicksPiece(recording), faults


def units(values: Floats, scale: int) -> Integers:
    """Whole numbers of 1/`scale`; what is finer is rounded (the statement of decimals says so)."""
    return np.rint(values * scale).astype(np.int64)


def _book(quotes: RawQuotes, scales: Scales) -> Book:
    bid, ask = units(quotes.bid, scales.price), units(quotes.ask, scales.price)
    sizes = units(quotes.bid_size, scales.size), units(quotes.ask_size, scales.size)
    # A row restates both sides; a side that is as it was has not spoken.
    bid_at, ask_at = last_change(quotes.at, bid, sizes[0]), last_change(quotes.at, ask, sizes[1])
    return Book(quotes.at, bid, ask, *sizes, bid_at, ask_at)


def _open_days(raw: T, hours: Hours) -> tuple[T, list[Fault]]:
    far = far_from_sessions(raw.at, hours.around(raw.at))
    if not far.any():
        return raw, []
    first = int(far.argmax())
    text = f"{raw.origin.of(first)}: a row of a day without a session"
    return chosen_rows(raw, ~far), [Fault("closed_day", raw.at[far], text)]


def _sane(raw: T, volume: Floats, sessions: Sequence[Session]) -> tuple[T, list[Fault]]:
    if any(session.round_the_clock for session in sessions):
        return raw, []
    usual = usual_day(raw.at, volume, sessions)
    wrong = absurd(raw.at, volume, sessions)
    faults = fault("absurd_volume", raw.at, volume, wrong, usual)
    if wrong.any():
        raw, volume = chosen_rows(raw, ~wrong), volume[~wrong]
    odd = spikes(raw.at, volume, sessions)
    return raw, [*faults, *fault("volume_spike", raw.at, volume, odd, usual)]


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is a finite number"
    return max(-exponent, 0)
