"""What a table of market data looks like, declared in TOML: see `docs/layouts/`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.instant import MINUTE, SECOND, Micros
from app.ports import FeedError


class TableKind(StrEnum):
    TRADES = "trades"
    QUOTES = "quotes"
    BARS = "bars"


FIELDS: Mapping[TableKind, tuple[str, ...]] = {
    TableKind.TRADES: ("time", "price", "size"),
    TableKind.QUOTES: ("time", "bid", "ask", "bid_size", "ask_size"),
    TableKind.BARS: ("time", "open", "high", "low", "close", "volume"),
}
OPTIONAL: Mapping[TableKind, tuple[str, ...]] = {TableKind.BARS: ("average",)}
"""What a table may have beside: the volume-weighted price of a bar is checked, and never used."""


class Stamp(StrEnum):
    """Which end of a bar its time is."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of table.

    `columns` says for each field the name of its column or, without a header, its number from 1.
    `time_format` is "iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "ms_since_midnight" (the
    day being the first eight digits of the file's name), or a pattern as in strptime; times that
    name no zone are of `timezone`. Prices are divided by `price_scale`, and keep `decimals`.
    `one_venue` says that trades are of the very book that the quotes show: none is off-market.
    """

    kind: TableKind
    columns: Mapping[str, str | int]
    files: Mapping[str, tuple[str, ...]]
    separator: str = ","
    header: bool = True
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    time_format: str = "iso"
    stamp: Stamp = Stamp.START
    bar_length: Micros = MINUTE
    price_scale: int = 1
    decimals: int = 4
    descending: bool = False
    one_venue: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """A whole file: the instruments' common traits, and the tables of their data."""

    calendar: str
    tick: Decimal
    lot: Decimal
    currency: str
    tables: tuple[Layout, ...]


def read_declaration(path: Path) -> Declaration:
    """The declaration in a TOML file. Raises FeedError that names file and key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = raw.pop("table", [])
        _only(raw, ("calendar", "tick", "lot", "currency"))
        if not tables:
            raise ValueError("no [[table]] is declared")
        return Declaration(
            calendar=_text(raw, "calendar"),
            tick=_step(raw, "tick"),
            lot=_step(raw, "lot"),
            currency=_text(raw, "currency", "USD"),
            tables=tuple(_layout(table) for table in tables),
        )
    except (OSError, ValueError) as wrong:
        raise FeedError(f"{path}: {wrong}") from wrong


def _layout(raw: Mapping[str, Any]) -> Layout:
    _only(raw, tuple(Layout.__dataclass_fields__))
    kind = TableKind(_text(raw, "kind"))
    header = _flag(raw, "header", True)
    return Layout(
        kind=kind,
        columns=_columns(raw.get("columns", {}), kind, header),
        files=_files(raw.get("files", {})),
        separator=_text(raw, "separator", ","),
        header=header,
        timezone=_zone(_text(raw, "timezone", "UTC")),
        time_format=_text(raw, "time_format", "iso"),
        stamp=Stamp(_text(raw, "stamp", Stamp.START)),
        bar_length=_count(raw, "bar_length", 60) * SECOND,
        price_scale=_count(raw, "price_scale", 1),
        decimals=_count(raw, "decimals", 4, least=0),
        descending=_flag(raw, "descending", False),
        one_venue=_flag(raw, "one_venue", False),
    )


def _only(raw: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in raw:
        if key not in known:
            raise ValueError(f"unknown key {key!r}; known are {', '.join(known)}")


def _text(raw: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a text")
    return value


def _flag(raw: Mapping[str, Any], key: str, default: bool) -> bool:
    value = raw.get(key, default)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false")
    return value


def _count(raw: Mapping[str, Any], key: str, default: int, *, least: int = 1) -> int:
    value = raw.get(key, default)
    if not isinstance(value, int) or value < least:
        raise ValueError(f"{key} must be a whole number, at least {least}")
    return value


def _step(raw: Mapping[str, Any], key: str) -> Decimal:
    try:
        value = Decimal(_text(raw, key))
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise ValueError(f'{key} must be a number above zero, as a text: "0.01"')
    return value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise ValueError(f"no time zone is named {name!r}") from unknown


def _columns(raw: Mapping[str, Any], kind: TableKind, header: bool) -> Mapping[str, str | int]:
    wanted = FIELDS[kind]
    missing = [name for name in wanted if name not in raw]
    if missing:
        raise ValueError(f"columns of {kind} lack {missing[0]!r}")
    _only(raw, (*wanted, *OPTIONAL.get(kind, ())))
    for name, column in raw.items():
        if not isinstance(column, str if header else int) or column in ("", 0):
            how = "a name" if header else "a number from 1, since there is no header"
            raise ValueError(f"column {name!r} must be {how}")
    return dict(raw)


def _files(raw: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    files = {symbol: (names,) if isinstance(names, str) else names for symbol, names in raw.items()}
    for symbol, names in files.items():
        if not names or not all(isinstance(name, str) for name in names):
            raise ValueError(f"files of {symbol!r} must be one or more names")
    if not files:
        raise ValueError("no files are named")
    return {symbol: tuple(names) for symbol, names in files.items()}
