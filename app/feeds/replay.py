"""Recorded markets at any speed: the tape store, Lean trees, declared tables, Binance dumps.

The kind of data follows from `path`: a dataset's folder in the tape store holds `dataset.json`, a
directory that holds `equity/usa` is a Lean tree, a `.toml` declares tables (see `docs/layouts/`),
a `.gz` is a dump of Binance streams.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.domain.instant import Instant, Micros
from app.domain.instrument import Instrument
from app.domain.session import Session
from app.domain.tape import Tape
from app.domain.volatility import STEP, price_path, realised_variance
from app.feeds.taped import TapedFeed
from app.ports import Calendar, Feed, FeedError
from app.tapes.reading.recording import Records

FEED = "replay"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Implements `taped.Source` over records."""

    records: Records
    symbols: frozenset[str] | None = None

    def instrument(self, symbol: str) -> Instrument | None:
        if self.symbols is not None and symbol not in self.symbols:
            return None
        return self.records.instrument(symbol)

    def around(self, symbol: str) -> tuple[Micros, Micros] | None:
        """What happened around a session is on its tape, but nobody said how far it is whole."""
        return None

    def stretches(self, symbol: str, now: Instant) -> Sequence[Session]:
        return [s for s in self.records.stretches(symbol) if s.closes_at > now]

    def tape(self, symbol: str, stretch: Session) -> Tape:
        return self.records.tape(symbol, stretch)

    def earlier(self, symbol: str, stretch: Session) -> Sequence[Session]:
        every = self.records.stretches(symbol)
        return [past for past in every if past.closes_at <= stretch.opens_at]

    def volumes(self, symbol: str, stretch: Session, bin_length: Micros) -> Sequence[float]:
        prints, scale = self.records.traded(symbol, stretch)
        edges = [*range(stretch.opens_at, stretch.closes_at, bin_length), stretch.closes_at]
        inside = (prints.at >= stretch.opens_at) & (prints.at < stretch.closes_at)
        units, _ = np.histogram(prints.at[inside], edges, weights=prints.size[inside])
        return [float(volume) / scale for volume in units]

    def variance(self, symbol: str, stretch: Session) -> float | None:
        prints, _ = self.records.traded(symbol, stretch)
        edges = [*range(stretch.opens_at, stretch.closes_at, STEP), stretch.closes_at]
        return realised_variance(price_path(prints.at, prints.price, edges))

    def begins(self) -> Instant:
        """The first moment of trading time at which any symbol has data."""
        known = (s for s in self.records.symbols() if self.instrument(s) is not None)
        begins = [at for symbol in known if (at := self.records.begins(symbol)) is not None]
        if not begins:
            raise FeedError("the feed has no session with data for any of its symbols")
        return min(begins)


def open_feed(calendar: Calendar, options: Mapping[str, Any]) -> Feed:
    """Opens the feed. Raises FeedError.

    Options: `path` (required: what to play), `root` (where the files of a declared layout are,
    default the layout's own directory), `resolution` (of a Lean tree), `symbols` (only these),
    `starts_at` (an instant; default the open of the first session with data).
    """
    source = open_source(calendar, options)
    starts_at = options.get("starts_at")
    first = source.begins() if starts_at is None else int(starts_at)
    return TapedFeed(FEED, source, first)


def open_source(calendar: Calendar, options: Mapping[str, Any]) -> Recorded:
    """What the feed plays, without the feed. Raises FeedError."""
    symbols: Iterable[str] | None = options.get("symbols")
    chosen = frozenset(symbols) if symbols is not None else None
    return Recorded(_records(calendar, options), chosen)


def _records(calendar: Calendar, options: Mapping[str, Any]) -> Records:
    if not options.get("path"):
        raise FeedError("the replay feed needs a path: a Lean tree, a layout or a Binance dump")
    # Imported here: every process looks at all feeds, and tables take 32 MB to read.
    from app.tapes.reading.binance import binance_records
    from app.tapes.reading.lean import LeanRecords
    from app.tapes.reading.table import table_records
    from app.tapes.records import StoredRecords, is_dataset

    path = Path(options["path"])
    if path.suffix == ".toml":
        root = options.get("root")
        return table_records(path, Path(root) if root else path.parent, calendar)
    if path.suffix == ".gz":
        return binance_records(path, calendar)
    if is_dataset(path):
        return StoredRecords(path)
    if path.is_dir():
        return LeanRecords(path, calendar, options.get("resolution"))
    raise FeedError(
        f"{path}: neither a directory with equity/usa, nor a dataset of the tape store,"
        " nor a .toml, nor a .gz"
    )
