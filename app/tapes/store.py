"""What is in the store: tapes, volumes, curves and volatility of one dataset at a time.

Numbers from the past of a day use earlier days only; nothing here looks ahead. Vendors count
volume differently, so that no number ever mixes datasets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import MINUTE, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import QUOTE_COLUMNS, TRADE_COLUMNS, Prints, Tape, sealed
from app.domain.tape_build import Quotes, Trades, build_tape
from app.domain.tape_search import Integers
from app.tapes.columns import BAR, QUOTE, QUOTE_BAR, TRADE, Entry, Reader, read_index
from app.tapes.day import day_name
from app.tapes.errors import TapeError
from app.tapes.manifest import DATASET, Dataset, Kind, Manifest, read_dataset, read_manifest
from app.tapes.pieces import BarsPiece, Scales
from app.tapes.reading.bars import Bars, Prices, QuoteBars
from app.tapes.reading.recording import NOTHING

Floats = NDArray[np.float64]
NO_SUMS: Integers = np.zeros(1, dtype=np.int64)
NO_SUMS.flags.writeable = False


class TapeStore:
    """A folder of datasets."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def datasets(self) -> Sequence[Dataset]:
        if not self.root.is_dir():
            return ()
        folders = sorted(path.parent for path in self.root.glob(f"*/{DATASET}"))
        return tuple(read_dataset(folder) for folder in folders)

    def symbols(self, dataset: str) -> Sequence[str]:
        return symbols_in(self._folder(dataset))

    def open(self, dataset: str, symbol: str) -> "Stored":
        """Raises TapeError where there is none."""
        return open_symbol(self._folder(dataset), symbol)

    def _folder(self, dataset: str) -> Path:
        folder = self.root / dataset
        # Asked by name of what is there, so that no name can be a path to elsewhere.
        if folder.parent != self.root or not (folder / DATASET).is_file():
            known = ", ".join(d.name for d in self.datasets()) or "none"
            raise TapeError(f"no dataset {dataset!r} in {self.root}; there are: {known}")
        return folder


def symbols_in(folder: Path) -> Sequence[str]:
    return sorted(path.stem for path in folder.glob("[!.]*.json") if path.name != DATASET)


def open_symbol(folder: Path, symbol: str) -> "Stored":
    """A symbol of the dataset in `folder`. Raises TapeError."""
    if symbol not in symbols_in(folder):
        known = ", ".join(symbols_in(folder)) or "none"
        raise TapeError(f"no {symbol!r} in dataset {folder.name}; there are: {known}")
    manifest = read_manifest(folder / f"{symbol}.json")
    columns = folder / manifest.folder
    return Stored(read_dataset(folder), manifest, columns, read_index(columns))


@dataclass(frozen=True)
class Stored:
    """One symbol of one dataset; a session's columns are mapped when they are asked for."""

    dataset: Dataset
    manifest: Manifest
    folder: Path
    entries: tuple[Entry, ...]

    @property
    def symbol(self) -> str:
        return self.manifest.symbol

    @property
    def instrument(self) -> Instrument:
        known = self.manifest
        return Instrument(
            known.symbol, known.tick, known.lot, known.lot, self.dataset.calendar, known.currency
        )

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        return tuple(entry.session for entry in self.entries)

    @cached_property
    def days(self) -> tuple[str, ...]:
        """The date of each session; a lunch break makes two of one date."""
        return tuple(day_name(session) for session in self.sessions)

    def on(self, day: str) -> tuple[Entry, ...]:
        """The sessions of a day (YYYY-MM-DD). Raises TapeError where there is none."""
        found = tuple(e for e, name in zip(self.entries, self.days, strict=True) if name == day)
        if not found:
            span = f"{self.days[0]} to {self.days[-1]}" if self.days else "nothing"
            raise TapeError(
                f"{self.symbol}: no session of {day} in {self.dataset.name}, which has {span}"
            )
        return found

    def tape(self, day: str, last: str | None = None) -> Tape:
        """The tape of a day, or from `day` to `last`; ticks of one session without a copy.

        Raises TapeError where a day is missing, and for daily bars, which have no inside.
        """
        if self.dataset.kind is Kind.DAILY:
            raise TapeError(f"{self.dataset.name} has daily bars: no tape inside of a day")
        entries = self.on(day)
        if last is not None:
            end = self.on(last)[-1].opens_at
            entries = tuple(e for e in self.entries if entries[0].opens_at <= e.opens_at <= end)
        return joined([self.session_tape(entry) for entry in entries])

    def session_tape(self, entry: Entry) -> Tape:
        dropped = self.manifest.lost.get(day_name(entry.session), {})
        if self.dataset.kind is Kind.BARS:
            piece = self.bars(entry)
            recording = piece.recording(self.scales)
            tape = recording.tape(self.symbol, entry.session, entry.since, entry.until + 1)
            return replace(tape, dropped=sealed(dropped))
        reader = Reader(self.folder, entry)
        columns = dict(zip(QUOTE_COLUMNS, reader.take(QUOTE, entry.quotes), strict=True))
        columns |= zip(TRADE_COLUMNS, reader.take(TRADE, entry.trades), strict=True)
        sums = reader.take(2, entry.trades + 1) if entry.trades else [NO_SUMS, NO_SUMS]
        return Tape(
            symbol=self.symbol,
            price_scale=self.manifest.price_scale,
            size_scale=self.manifest.size_scale,
            **columns,
            cum_volume=sums[0],
            cum_notional=sums[1],
            since=entry.since,
            until=entry.until,
            dropped=sealed(dropped),
        )

    def bars(self, entry: Entry) -> BarsPiece:
        """The bars of a session of a dataset of bars."""
        length = self.dataset.bar_length
        assert length is not None, "bars have a length"
        reader = Reader(self.folder, entry)
        at, *prices, volume = reader.take(BAR, entry.bars)
        quotes = None
        if entry.quote_bars:
            stamps, *sides, bid_size, ask_size = reader.take(QUOTE_BAR, entry.quote_bars)
            bid, ask = Prices(*sides[:4]), Prices(*sides[4:])
            quotes = QuoteBars(stamps, length, bid, ask, bid_size, ask_size)
        return BarsPiece(Bars(at, length, Prices(*prices), volume), quotes)

    def traded(self, entry: Entry) -> Prints:
        """All that traded around a session, off the market too, in order; bars at their start."""
        if self.dataset.kind is Kind.DAILY:
            return Prints(NOTHING, NOTHING, NOTHING)
        if self.dataset.kind is Kind.BARS:
            bars = self.bars(entry).bars
            return Prints(bars.at, bars.prices.close, bars.volume)
        reader = Reader(self.folder, entry)
        reader.take(QUOTE, entry.quotes)
        trades = reader.take(TRADE, entry.trades)
        reader.take(2, entry.trades + 1 if entry.trades else 0)
        off = reader.take(TRADE, entry.beside)
        if not entry.beside:
            return Prints(*trades)
        both = [np.concatenate(pair) for pair in zip(trades, off, strict=True)]
        order = np.argsort(both[0], kind="stable")
        return Prints(*(column[order] for column in both))

    def bins(self, day: str, bin_length: Micros = 15 * MINUTE) -> Floats:
        """What each bin of a day's session traded, in shares; the last bin may be a short one.

        A bar counts where it begins; bars longer than a bin are refused. Raises TapeError.
        """
        length = self.dataset.bar_length
        if length is not None and bin_length % length:
            raise TapeError(f"bins of {bin_length} µs are not made of bars of {length} µs")
        return np.concatenate([self.session_bins(entry, bin_length) for entry in self.on(day)])

    def session_bins(self, entry: Entry, bin_length: Micros) -> Floats:
        prints = self.traded(entry)
        low, high = prints.at.searchsorted([entry.opens_at, entry.closes_at])
        count = -(-(entry.closes_at - entry.opens_at) // bin_length)
        place = (prints.at[low:high] - entry.opens_at) // bin_length
        totals = np.zeros(count, dtype=np.int64)
        np.add.at(totals, place, prints.size[low:high])
        return totals / self.manifest.size_scale

    @property
    def scales(self) -> Scales:
        known = self.manifest
        return Scales(
            known.price_scale,
            known.size_scale,
            int(known.tick * known.price_scale),
            int(known.lot * known.size_scale),
        )


def joined(tapes: Sequence[Tape]) -> Tape:
    """Tapes that follow each other as one. Raises TapeError where their sums do not fit."""
    if len(tapes) == 1:
        return tapes[0]
    first = tapes[0]

    def column(name: str) -> Integers:
        return np.concatenate([getattr(tape, name) for tape in tapes])

    reasons = {reason for tape in tapes for reason in tape.dropped}
    try:
        return build_tape(
            first.symbol,
            price_scale=first.price_scale,
            size_scale=first.size_scale,
            since=first.since,
            until=max(tape.until for tape in tapes),
            quotes=Quotes(*(column(name) for name in QUOTE_COLUMNS)),
            trades=Trades(*(column(name) for name in TRADE_COLUMNS)),
            dropped={reason: sum(t.dropped.get(reason, 0) for t in tapes) for reason in reasons},
        )
    except ValueError as wrong:
        raise TapeError(str(wrong)) from wrong
