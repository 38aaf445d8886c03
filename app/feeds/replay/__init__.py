"""Recorded markets at any speed: Lean trees, declared tables, Binance dumps.

The kind of data follows from `path`: a directory that holds `equity/usa` is a Lean tree, a `.toml`
declares tables (see `docs/layouts/`), a `.gz` is a dump of Binance streams.
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
from app.feeds.replay.binance import binance_records
from app.feeds.replay.lean import LeanRecords
from app.feeds.replay.recording import Records
from app.feeds.replay.table import table_records
from app.feeds.taped import TapedFeed
from app.ports import Calendar, Feed, FeedError

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
    symbols: Iterable[str] | None = options.get("symbols")
    chosen = frozenset(symbols) if symbols is not None else None
    source = Recorded(_records(calendar, options), chosen)
    starts_at = options.get("starts_at")
    first = source.begins() if starts_at is None else int(starts_at)
    return TapedFeed(FEED, source, first)


def _records(calendar: Calendar, options: Mapping[str, Any]) -> Records:
    if not options.get("path"):
        raise FeedError("the replay feed needs a path: a Lean tree, a layout or a Binance dump")
    path = Path(options["path"])
    if path.suffix == ".toml":
        root = options.get("root")
        return table_records(path, Path(root) if root else path.parent, calendar)
    if path.suffix == ".gz":
        return binance_records(path, calendar)
    if path.is_dir():
        return LeanRecords(path, calendar, options.get("resolution"))
    raise FeedError(f"{path}: neither a directory with equity/usa, nor a .toml, nor a .gz")
