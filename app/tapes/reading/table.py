"""Tables of trades, quotes or bars in delimited files, read as a declared layout says.

A symbol has trades or bars, and quotes or none. Without quotes they are assumed around the prints
(see `bars`). A bar without volume shows nothing that could be traded on: it is dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import assert_never

import numpy as np
import polars as pl

from app.domain.instrument import Instrument
from app.domain.tape import Prints
from app.domain.tape_search import Integers, last_change
from app.ports import Calendar, FeedError
from app.tapes.reading.bars import PRICES, Bars, Prices, around, book_around, prices_of, prints_of
from app.tapes.reading.held import Held, HeldRecords, parts_of
from app.tapes.reading.layout import FIELDS, Declaration, Layout, Stamp, TableKind, read_declaration
from app.tapes.reading.recording import NO_BOOK, NO_PRINTS, NOTHING, Book, Recording
from app.tapes.reading.rows import Format, Rows, numbered, read_rows
from app.tapes.reading.times import time_type, times_of


def table_records(path: Path, root: Path, calendar: Calendar) -> HeldRecords:
    """The symbols of a declaration, whose files are under `root`. Raises FeedError."""
    declared = read_declaration(path)
    symbols = {symbol for layout in declared.tables for symbol in layout.files}
    return HeldRecords(symbols, lambda symbol: _held(declared, symbol, root, calendar))


@dataclass(frozen=True, slots=True)
class _Scales:
    """Prices and sizes in whole numbers, and the instrument's grid in them."""

    price: int
    size: int
    tick: int
    lot: int


def _held(declared: Declaration, symbol: str, root: Path, calendar: Calendar) -> Held:
    layouts = [layout for layout in declared.tables if symbol in layout.files]
    decimals = max(_decimals(declared.tick), *(layout.decimals for layout in layouts))
    price, size = 10**decimals, 10 ** _decimals(declared.lot)
    scales = _Scales(price, size, int(declared.tick * price), int(declared.lot * size))
    recording = _recording(symbol, layouts, root, scales)
    try:
        parts = parts_of(recording, calendar, declared.calendar)
    except ValueError as unknown:
        raise FeedError(str(unknown)) from unknown
    instrument = Instrument(
        symbol, declared.tick, declared.lot, declared.lot, declared.calendar, declared.currency
    )
    return Held(instrument, recording, parts)


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is a finite number"
    return max(-exponent, 0)


def _recording(symbol: str, layouts: Sequence[Layout], root: Path, scales: _Scales) -> Recording:
    kinds = {layout.kind: layout for layout in layouts}
    if len(kinds) < len(layouts) or {TableKind.BARS, TableKind.TRADES} <= kinds.keys():
        raise FeedError(f"{symbol}: one table of trades or bars, and one of quotes, not more")
    tables = {kind: _read(layout, symbol, root, scales) for kind, layout in kinds.items()}
    book, prints, dropped = NO_BOOK, NO_PRINTS, NOTHING
    if TableKind.BARS in tables:
        bars, dropped = _bars(tables[TableKind.BARS], kinds[TableKind.BARS])
        book, prints = book_around(bars, scales.tick, scales.lot), prints_of(bars)
    if TableKind.TRADES in tables:
        trades = tables[TableKind.TRADES]
        prints = Prints(trades["time"], trades["price"], trades["size"])
        book = around(prints.at, prints.price, prints.size, scales.tick)
    if TableKind.QUOTES in tables:
        book = _book(tables[TableKind.QUOTES])
    # Prints are compared with quotes only where both are recorded one by one.
    compared = kinds.keys() == {TableKind.TRADES, TableKind.QUOTES}
    trusted = not compared or kinds[TableKind.TRADES].one_venue
    lost = {"empty_bars": dropped}
    return Recording(scales.price, scales.size, book, prints, lost, trusted=trusted)


def _bars(columns: Mapping[str, Integers], layout: Layout) -> tuple[Bars, Integers]:
    """The bars in which something traded, and the times of the others."""
    traded = columns["volume"] > 0
    prices = Prices(*(columns[name] for name in PRICES)).rows(traded)
    at, volume = columns["time"][traded], columns["volume"][traded]
    return Bars(at, layout.bar_length, prices, volume), columns["time"][~traded]


def _book(columns: Mapping[str, Integers]) -> Book:
    at, bid, ask = columns["time"], columns["bid"], columns["ask"]
    bid_size, ask_size = columns["bid_size"], columns["ask_size"]
    # A row restates both sides; a side that is as it was has not spoken.
    bid_at, ask_at = last_change(at, bid, bid_size), last_change(at, ask, ask_size)
    return Book(at, bid, ask, bid_size, ask_size, bid_at, ask_at)


def _read(layout: Layout, symbol: str, root: Path, scales: _Scales) -> dict[str, Integers]:
    """The columns of a symbol's files, one after the other in time."""
    files = [
        (root / name, _read_file(layout, root / name, scales)) for name in layout.files[symbol]
    ]
    files = [(path, columns) for path, columns in files if len(columns["time"])]
    files.sort(key=lambda file: int(file[1]["time"][0]))
    for (before, earlier), (path, later) in pairwise(files):
        if later["time"][0] < earlier["time"][-1]:
            raise FeedError(f"{path}: begins before {before} ends")
    names = FIELDS[layout.kind]
    return {name: np.concatenate([NOTHING, *(c[name] for _, c in files)]) for name in names}


def _read_file(layout: Layout, path: Path, scales: _Scales) -> dict[str, Integers]:
    rows = _named(layout, path)
    at = times_of(rows, layout.time_format, layout.timezone)
    bars = layout.kind is TableKind.BARS
    if bars and layout.stamp is Stamp.END:
        at = at - layout.bar_length
    rows.in_order(at, strictly=bars, descending=layout.descending)
    columns = {"time": at, **_values(rows, layout, scales)}
    step = -1 if layout.descending else 1
    return {name: column[::step] for name, column in columns.items()}


def _named(layout: Layout, path: Path) -> Rows:
    """The file's rows, with the fields' names for those of its columns."""
    sources = {
        field: column if isinstance(column, str) else numbered(column)
        for field, column in layout.columns.items()
        if field in FIELDS[layout.kind]
    }
    types = {
        source: time_type(layout.time_format) if field == "time" else pl.Float64
        for field, source in sources.items()
    }
    rows = read_rows(path, Format(layout.separator, header=layout.header), types)
    named = rows.frame.select(pl.col(source).alias(field) for field, source in sources.items())
    return replace(rows, frame=named)


def _values(rows: Rows, layout: Layout, scales: _Scales) -> dict[str, Integers]:
    price = scales.price / layout.price_scale
    match layout.kind:
        case TableKind.TRADES:
            return {"price": rows.units("price", price), "size": rows.units("size", scales.size)}
        case TableKind.QUOTES:
            prices = {name: rows.units(name, price) for name in ("bid", "ask")}
            rows.refuse(prices["bid"] > prices["ask"], "the bid is above the offer")
            sizes = {name: rows.units(name, scales.size) for name in ("bid_size", "ask_size")}
            return prices | sizes
        case TableKind.BARS:
            bar = prices_of(rows, "", price)
            volume = rows.units("volume", scales.size, zero=True)
            return {name: getattr(bar, name) for name in PRICES} | {"volume": volume}
        case _:
            assert_never(layout.kind)
