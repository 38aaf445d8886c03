"""Which column is which: by its name, checked by what is in it; without names, by content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.tapes.errors import Ambiguous, Question
from app.tapes.reading.layout import FIELDS, OPTIONAL, TableKind

Floats = NDArray[np.float64]

NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("timestamp", "datetime", "time", "date", "ts", "t", "at", "tsevent", "when"),
    "open": ("open", "o", "openprice", "first"),
    "high": ("high", "highest", "h", "highprice", "max"),
    "low": ("low", "lowest", "l", "lowprice", "min"),
    "close": ("close", "c", "closeprice", "last"),
    "volume": ("volume", "vol", "v", "shares", "totalvolume"),
    "average": ("vwap", "vw", "average", "wap", "price"),
    "price": ("price", "px", "p", "last", "tradeprice"),
    "size": ("size", "qty", "quantity", "volume", "amount", "tradesize", "shares"),
    "bid": ("bid", "bidprice", "bestbid", "bp"),
    "ask": ("ask", "askprice", "bestask", "offer", "ap"),
    "bid_size": ("bidsize", "bidqty", "bidvolume", "bs", "bestbidsize"),
    "ask_size": ("asksize", "askqty", "askvolume", "as", "bestasksize", "offersize"),
}
SYMBOL = ("symbol", "ticker", "sym", "instrument")
HOLDS = 0.98
"""The share of rows in which a high must be the highest, and a low the lowest."""


@dataclass(frozen=True, slots=True)
class Named:
    """The kind of a table, the column of each field but the time, and why."""

    kind: TableKind
    columns: Mapping[str, str]
    why: str


def plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def by_name(file: str, frame: pl.DataFrame) -> Named:
    """Raises Ambiguous where the names make no table."""
    found = {
        field: next((c for n in names for c in frame.columns if plain(c) == n), None)
        for field, names in NAMES.items()
        if field != "time"
    }
    for kind in (TableKind.BARS, TableKind.QUOTES, TableKind.TRADES):
        needed = [field for field in FIELDS[kind] if field != "time"]
        if all(found[field] for field in needed):
            wanted = [*needed, *OPTIONAL.get(kind, ())]
            columns = {field: column for field in wanted if (column := found[field])}
            if kind is TableKind.BARS:
                _checked(file, frame, columns)
            return Named(kind, columns, "by the header's names")
    asked = Question("import a layout .toml", f"what are the columns {', '.join(frame.columns)}?")
    raise Ambiguous(file, (asked,))


def by_content(file: str, frame: pl.DataFrame, time: str) -> Named:
    """Bars without a header: the high is highest, the low lowest, an open follows the close."""
    numbers = {name: _numbers(frame[name]) for name in frame.columns if name != time}
    numbers = {name: column for name, column in numbers.items() if np.isfinite(column).any()}
    text = "the columns cannot be told apart by what they hold"
    question = Question("import a layout .toml", text)
    if len(numbers) != 5:
        raise Ambiguous(file, (question,))
    volume = _volume(numbers)
    prices = [name for name in numbers if name != volume]
    ranked = [
        (high, low)
        for high, low in permutations(prices, 2)
        if _holds(numbers[high], numbers[low], [numbers[n] for n in prices]) >= HOLDS
    ]
    if len(ranked) != 1:
        raise Ambiguous(file, (question,))
    high, low = ranked[0]
    first, second = (name for name in prices if name not in (high, low))
    forwards, backwards = _joins(numbers[first], numbers[second])
    if max(forwards, backwards) < 1.2 * min(forwards, backwards):
        raise Ambiguous(file, (question,))
    # The gap between one bar's close and the next one's open is the smaller one.
    opens, closes = (first, second) if forwards < backwards else (second, first)
    why = (
        "by content: the high is the highest and the low the lowest of each row; opens follow the"
        f" close before by {min(forwards, backwards):.4g} on average, the other way round by"
        f" {max(forwards, backwards):.4g}"
    )
    columns = {"open": opens, "high": high, "low": low, "close": closes, "volume": volume}
    return Named(TableKind.BARS, columns, why)


def _checked(file: str, frame: pl.DataFrame, columns: Mapping[str, str]) -> None:
    """Names may lie: a high that is below its low is none."""
    prices = [_numbers(frame[columns[name]]) for name in ("open", "high", "low", "close")]
    share = _holds(prices[1], prices[2], prices)
    if share < 0.9:
        text = f"the high and low named in the header hold in {share:.0%} of the rows only"
        raise Ambiguous(file, (Question("import a layout .toml", text),))


def _holds(high: Floats, low: Floats, every: Sequence[Floats]) -> float:
    top, bottom = np.maximum.reduce(every), np.minimum.reduce(every)
    known = np.isfinite(top) & np.isfinite(bottom)
    return float(np.mean((high >= top)[known] & (low <= bottom)[known])) if known.any() else 0.0


def _volume(numbers: Mapping[str, Floats]) -> str:
    """The column that varies most: prices of one symbol stay near each other."""
    return max(numbers, key=lambda n: float(np.nanstd(numbers[n]) / abs(np.nanmean(numbers[n]))))


def _joins(one: Floats, other: Floats) -> tuple[float, float]:
    """Mean distance of `one` to the `other` before it, and the reverse."""
    return (
        float(np.nanmean(np.abs(one[1:] - other[:-1]))),
        float(np.nanmean(np.abs(other[1:] - one[:-1]))),
    )


def _numbers(column: pl.Series) -> Floats:
    return column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
