"""Rows as a file has them, before anything is dropped; and where each of them stands."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.domain.instant import Micros
from app.domain.tape_search import Flags, Integers

Floats = NDArray[np.float64]
Chosen = Flags | Integers | slice

T = TypeVar("T", bound="RawBars | RawTrades | RawQuotes")


@dataclass(frozen=True, slots=True)
class Origin:
    """File and 1-based line of every row."""

    files: tuple[Path, ...]
    file: Integers
    line: Integers

    def __getitem__(self, chosen: Chosen) -> "Origin":
        return Origin(self.files, self.file[chosen], self.line[chosen])

    def of(self, row: int) -> str:
        return f"{self.files[int(self.file[row])].name}, line {int(self.line[row])}"


@dataclass(frozen=True, slots=True)
class RawBars:
    """Bars by the time of their start. Not a number: what could not be read."""

    origin: Origin
    at: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    average: Floats | None
    length: Micros


@dataclass(frozen=True, slots=True)
class RawTrades:
    origin: Origin
    at: Integers
    price: Floats
    size: Floats


@dataclass(frozen=True, slots=True)
class RawQuotes:
    origin: Origin
    at: Integers
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats


def chosen_rows(raw: T, chosen: Chosen) -> T:
    """Some rows of a table."""
    columns: dict[str, Any] = {}
    for field in fields(raw):
        value = getattr(raw, field.name)
        if isinstance(value, np.ndarray | Origin):
            columns[field.name] = value[chosen]
    return replace(raw, **columns)
