"""A symbol written beside what is there, and put in its place at once."""

import os
import re
import secrets
import shutil
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.domain.session import Session
from app.domain.tape import Prints, Tape
from app.tapes.columns import Entry, write_index, write_session
from app.tapes.day import day_name
from app.tapes.errors import TapeError
from app.tapes.manifest import DATASET, Dataset, Manifest, dataset_text, manifest_text, read_dataset
from app.tapes.pieces import BarsPiece, Piece, Scales, entry_of
from app.tapes.reading.recording import off_market, rows_of
from app.tapes.sketch import Sketch

STALE = 3600
"""Seconds after which nobody is still writing a folder that nobody touched."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def checked_name(what: str, name: str) -> str:
    """A name that becomes part of a path. Raises TapeError."""
    if not NAME.fullmatch(name):
        raise TapeError(f"{what} {name!r} must be letters, digits, '.', '_' and '-'")
    return name


class SymbolWriter:
    """The columns of one symbol on their way into a dataset; nothing is seen until `commit`."""

    def __init__(self, folder: Path, symbol: str, scales: Scales) -> None:
        self._dataset = folder
        self._symbol = checked_name("symbol", symbol)
        self._scales = scales
        self._beside = folder / f".{symbol}.{os.getpid()}-{secrets.token_hex(3)}.part"
        self._beside.mkdir(parents=True)
        _clear(folder, symbol)
        self.entries: list[Entry] = []
        self.lost: dict[str, Counter[str]] = {}

    def add(self, session: Session, piece: Piece) -> Sketch:
        """One session. Raises FeedError for rows that make no tape."""
        if self.entries and session.opens_at <= self.entries[-1].opens_at:
            raise TapeError(f"{self._symbol}: two files hold the session of {day_name(session)}")
        sketch = piece.sketch(session)
        tape, columns, counts, sketch = self._columns(session, piece, sketch)
        write_session(self._beside, session.opens_at, columns)
        self.entries.append(entry_of(session, sketch, tape, counts))
        if tape.dropped:
            self.lost.setdefault(day_name(session), Counter()).update(tape.dropped)
        return sketch

    def add_daily(self, entry: Entry) -> None:
        self.entries.append(entry)

    def commit(self, dataset: Dataset, manifest: Manifest) -> Manifest:
        """Puts the symbol in its place; what was there before is gone afterwards."""
        write_index(self._beside, self.entries)
        sums = {path.name: summed(path) for path in sorted(self._beside.iterdir())}
        folder = f"{self._symbol}.{self._beside.name.rsplit('.', 2)[1]}"
        manifest = replace(manifest, folder=folder, columns=sums)
        self._beside.rename(self._dataset / folder)
        own = self._dataset / DATASET
        if not own.exists():
            put(own, dataset_text(dataset))
        put(self._dataset / f"{self._symbol}.json", manifest_text(manifest))
        for old in self._dataset.glob(f"{self._symbol}.*-*"):
            if old.is_dir() and old.name != folder and self._owns(old):
                shutil.rmtree(old)
        return manifest

    def discard(self) -> None:
        shutil.rmtree(self._beside, ignore_errors=True)

    def _owns(self, folder: Path) -> bool:
        return (
            re.fullmatch(rf"{re.escape(self._symbol)}\.\d+-[0-9a-f]{{6}}", folder.name) is not None
        )

    def _columns(
        self, session: Session, piece: Piece, sketch: Sketch
    ) -> tuple[Tape, Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]], dict[str, int], Sketch]:
        start, end = span_of(piece)
        if isinstance(piece, BarsPiece):
            bars, quotes = piece.bars, piece.quotes
            tape = piece.recording(self._scales).tape(self._symbol, session, start, end)
            prices = bars.prices
            columns = [bars.at, prices.open, prices.high, prices.low, prices.close, bars.volume]
            counts = {"bars": len(bars.at)}
            if quotes is not None:
                sides = (quotes.bid, quotes.ask)
                columns += [quotes.at]
                columns += [c for s in sides for c in (s.open, s.high, s.low, s.close)]
                columns += [quotes.bid_size, quotes.ask_size]
                counts["quote_bars"] = len(quotes.at)
            return tape, columns, counts, sketch
        tape = piece.recording.tape(self._symbol, session, start, end)
        off = rows_of(piece.recording.prints, off_market(piece.recording, session))
        return tape, tick_columns(tape, off), tick_counts(tape, off), priced(sketch, tape)


def _clear(folder: Path, symbol: str) -> None:
    """Takes away what imports that were killed left behind."""
    long_ago = time.time() - STALE
    for left in folder.glob(f".{symbol}.*.part"):
        if left.stat().st_mtime < long_ago:
            shutil.rmtree(left, ignore_errors=True)


def span_of(piece: Piece) -> tuple[int, int]:
    ends = [int(at[i]) for at in piece.times() if len(at) for i in (0, -1)]
    # The four moments of the last bar come after its start.
    length = piece.bars.length if isinstance(piece, BarsPiece) else 0
    return min(ends), max(ends) + length + 1


def tick_columns(tape: Tape, off: Prints) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    columns = [tape.quote_at, tape.bid, tape.ask, tape.bid_size, tape.ask_size]
    columns += [tape.bid_at, tape.ask_at, tape.trade_at, tape.trade_price, tape.trade_size]
    sums = [tape.cum_volume, tape.cum_notional] if len(tape.trade_at) else []
    return [*columns, *sums, off.at, off.price, off.size]


def tick_counts(tape: Tape, off: Prints) -> dict[str, int]:
    return {"quotes": len(tape.quote_at), "trades": len(tape.trade_at), "beside": len(off.at)}


def priced(sketch: Sketch, tape: Tape) -> Sketch:
    """Its prices are those at which an order could have traded; its volume is all there was."""
    session = sketch.session
    low, high = tape.trade_at.searchsorted([session.opens_at, session.closes_at])
    prices = tape.trade_price[low:high]
    if not len(prices):
        return sketch
    return replace(
        sketch,
        open=int(prices[0]),
        high=int(prices.max()),
        low=int(prices.min()),
        close=int(prices[-1]),
    )


def summed(path: Path) -> tuple[int, int]:
    """Size and CRC-32 of a file."""
    content = path.read_bytes()
    return len(content), zlib.crc32(content)


def matching_dataset(folder: Path, wanted: Dataset) -> Dataset:
    """The dataset that is there, or the wanted one. Raises TapeError where they do not agree."""
    if not (folder / DATASET).exists():
        return wanted
    there = read_dataset(folder)
    for trait in ("vendor", "kind", "calendar", "bar_seconds"):
        mine, theirs = getattr(wanted, trait), getattr(there, trait)
        if mine != theirs:
            raise TapeError(
                f"dataset {there.name} has {trait} {theirs}, this is {mine}: choose another"
                " --dataset (volume differs by vendor and by kind of data)"
            )
    return there


def put(path: Path, text: str) -> None:
    """A small file, whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
