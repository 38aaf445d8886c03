"""Delimited files and Parquet as a source: by a declared layout, or one found out from them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from app.domain.instant import DAY, to_datetime
from app.ports import Calendar, FeedError
from app.tapes.detect import Detected, detect
from app.tapes.detect_time import Hours
from app.tapes.errors import Ambiguous, Question, TapeError
from app.tapes.frames import columns_of, frame_of, shape_of
from app.tapes.manifest import Kind
from app.tapes.material import Material, Read, Source, bars_piece, scales_of, ticks_piece
from app.tapes.moments import NO_TIME, moments
from app.tapes.naming import SYMBOL, plain
from app.tapes.reading.layout import Declaration, Layout, TableKind, read_declaration
from app.tapes.stated import Given, Statement, Traits
from app.tapes.tables import shape_in

SUFFIXES = (".csv", ".txt", ".tsv", ".parquet", ".pq")
_FILLERS = re.compile(
    r"\d+|\d*(min|minute|minutes|sec|second|seconds|hour|h|m|s|d)|1?day|daily|bars?|trades?|quotes?"
    r"|ticks?|intraday|data|ohlcv?",
    re.IGNORECASE,
)
Tables = Mapping[TableKind, tuple[Layout, Sequence[Path]]]


def declared_source(path: Path, root: Path, calendar: Calendar, given: Given) -> Source:
    """A declaration's tables. Raises TapeError."""
    try:
        declared = read_declaration(path)
    except FeedError as wrong:
        raise TapeError(str(wrong)) from wrong
    try:
        calendar.sessions(declared.calendar, 0, DAY)
    except ValueError as unknown:
        raise TapeError(str(unknown)) from unknown
    symbols = sorted({symbol for layout in declared.tables for symbol in layout.files})
    hours = Hours(declared.calendar, calendar)
    materials = []
    for symbol in symbols:
        layouts = [layout for layout in declared.tables if symbol in layout.files]
        tables = {each.kind: (each, [root / n for n in each.files[symbol]]) for each in layouts}
        if len(tables) < len(layouts) or {TableKind.BARS, TableKind.TRADES} <= tables.keys():
            raise TapeError(f"{symbol}: one table of trades or bars, and one of quotes, not more")
        traits = Traits(declared.calendar, declared.tick, declared.lot, declared.currency)
        materials.append(_material(symbol, tables, traits, hours, given))
    return _source(path.stem, materials, declared.tables, hours, _declared(path, declared))


def detected_source(paths: Sequence[Path], given: Given, calendar: Calendar) -> Source:
    """Files whose layout is found out. Raises Ambiguous and TapeError."""
    files = _listed(paths)
    groups = _by_symbol(files, given)
    materials, layouts, said = [], [], []
    hours = None
    for symbol, tables in groups.items():
        found = [detect(own[0], given, calendar) for own in tables]
        kinds = {d.layout.kind: (d.layout, own) for d, own in zip(found, tables, strict=True)}
        traits = found[0].traits
        if hours is not None and traits.calendar != hours.name:
            raise TapeError(f"{symbol}: sessions of {traits.calendar}, others of {hours.name}")
        hours = Hours(traits.calendar, calendar)
        material = _material(symbol, kinds, traits, hours, given)
        statements = tuple(s for d in found for s in d.statements)
        materials.append(replace(material, statements=statements))
        layouts += [d.layout for d in found]
        said.append(found[0])
    assert hours is not None, "there is a file at least"
    _agree(said, [m.symbol for m in materials])
    name = paths[0].stem if len(paths) == 1 else paths[0].parent.name
    return _source(name, materials, layouts, hours, ())


def _agree(found: Sequence[Detected], symbols: Sequence[str]) -> None:
    """What is guessed of one file must not be guessed otherwise of its neighbour."""
    first = found[0].layout
    for other, symbol in zip(found, symbols, strict=True):
        for trait in ("kind", "columns", "timezone", "time_format", "stamp", "bar_length"):
            mine, theirs = getattr(first, trait), getattr(other.layout, trait)
            if mine != theirs:
                raise TapeError(
                    f"{symbol} looks read with {trait} {theirs}, {symbols[0]} with {mine}: import"
                    " them apart, or declare a layout"
                )


def _source(
    name: str,
    materials: Sequence[Material],
    layouts: Sequence[Layout],
    hours: Hours,
    statements: tuple[Statement, ...],
) -> Source:
    lengths = {layout.bar_length for layout in layouts if layout.kind is TableKind.BARS}
    if len(lengths) > 1 or (lengths and any(each.kind is TableKind.TRADES for each in layouts)):
        raise TapeError("bars of one length, or ticks: not both in a dataset")
    length = next(iter(lengths), None)
    kind = Kind.TICKS if length is None else Kind.DAILY if length >= DAY else Kind.BARS
    plain_name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "dataset"
    return Source(plain_name, plain_name, kind, hours.name, length, tuple(materials), statements)


def _material(symbol: str, tables: Tables, traits: Traits, hours: Hours, given: Given) -> Material:
    decimals = max(layout.decimals for layout, _ in tables.values())
    scales = scales_of(traits.tick, traits.lot, decimals)
    files = tuple(path for _, own in tables.values() for path in own)
    for path in files:
        if not path.is_file():
            raise TapeError(f"{path}: no such file")

    def read() -> Iterator[Read]:
        if TableKind.BARS in tables:
            layout, own = tables[TableKind.BARS]
            yield bars_piece(layout, own, scales, hours)
        else:
            yield ticks_piece(tables, scales, hours)

    return Material(
        symbol=symbol,
        files=files,
        scales=scales,
        tick=traits.tick,
        lot=traits.lot,
        currency=traits.currency,
        quotes="recorded" if TableKind.QUOTES in tables else "assumed",
        read=read,
        adjusted=given.adjusted or _adjusted(files[0]),
        splits=_splits(*next(iter(tables.values()))),
    )


def _adjusted(path: Path) -> str:
    """Raw where adjusted prices stand beside those that are read."""
    names = columns_of(path)
    return "raw" if any(plain(name).startswith("adj") for name in names) else "not said"


def _splits(layout: Layout, files: Sequence[Path]) -> Mapping[str, float]:
    """New shares for an old one by day, where a column of the files says so."""
    found: dict[str, float] = {}
    for path in files:
        time = layout.columns["time"]
        for name in columns_of(path):
            if plain(name) != "splitratio" or not isinstance(time, str):
                continue
            frame = frame_of(path, shape_in(layout, path))
            at = moments(frame[time], layout.time_format, layout.timezone, path)
            ratios = frame[name].cast(pl.Float64, strict=False).fill_null(1.0).to_numpy()
            split = (ratios != 1.0) & (ratios > 0) & (at != NO_TIME)
            for moment, ratio in zip(at[split].tolist(), ratios[split].tolist(), strict=True):
                found[to_datetime(moment).date().isoformat()] = ratio
    return found


def _declared(path: Path, declared: Declaration) -> tuple[Statement, ...]:
    why = f"declared in {path.name}"
    said = [
        Statement("calendar", declared.calendar, why),
        Statement("tick, lot", f"{declared.tick}, {declared.lot}", why),
    ]
    for layout in declared.tables:
        columns = ", ".join(f"{field} = {column}" for field, column in layout.columns.items())
        said.append(Statement(str(layout.kind), columns, why))
        said.append(Statement("time", f"{layout.time_format}, {layout.timezone.key}", why))
        if layout.kind is TableKind.BARS:
            bar = f"{layout.bar_length // 1_000_000} s, stamped at the {layout.stamp}"
            said.append(Statement("bars", bar, why))
        scaled = f"/ {layout.price_scale}, {layout.decimals} decimals"
        said.append(Statement("prices", scaled, why))
        said.append(
            Statement("order", "newest first" if layout.descending else "oldest first", why)
        )
    return tuple(said)


def _listed(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(p for p in path.iterdir() if _data_file(p))
        elif path.is_file():
            files.append(path)
        else:
            raise TapeError(f"{path}: no such file or folder")
    if not files:
        raise TapeError(f"{paths[0]}: no file of {', '.join(SUFFIXES)} in it")
    return files


def _data_file(path: Path) -> bool:
    return path.is_file() and any(path.name.lower().endswith(s) for s in SUFFIXES)


def _by_symbol(files: Sequence[Path], given: Given) -> Mapping[str, list[list[Path]]]:
    """Whose files these are: for each symbol its tables, each of one or more files."""
    groups: dict[str, dict[tuple[str, ...], list[Path]]] = {}
    for path in files:
        symbol = given.symbol or symbol_of(path)
        header = tuple(columns_of(path))
        groups.setdefault(symbol.upper(), {}).setdefault(header, []).append(path)
    return {symbol: list(tables.values()) for symbol, tables in sorted(groups.items())}


def symbol_of(path: Path) -> str:
    """From a column of its own, or the file's name. Raises Ambiguous."""
    for name in columns_of(path):
        if plain(name) in SYMBOL:
            symbols = frame_of(path, shape_of(path))[name].drop_nulls().unique().to_list()
            if len(symbols) == 1:
                return str(symbols[0]).strip()
            raise TapeError(f"{path}: {len(symbols)} symbols in one file; one file each is read")
    stem = path.name.split(".", 1)[0]
    words = [word for word in re.split(r"[^A-Za-z0-9]+", stem) if word]
    told = [word for word in words if not _FILLERS.fullmatch(word)]
    if len(told) == 1 and re.fullmatch(r"[A-Za-z]{1,6}", told[0]):
        return told[0]
    question = Question("--symbol NAME", "of which symbol is it?")
    raise Ambiguous(path.name, (question,))
