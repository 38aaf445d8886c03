"""What is known about a stored symbol, beside its columns; JSON on disk."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.domain.instant import SECOND, Micros
from app.tapes.errors import TapeError
from app.tapes.findings import Finding, from_json

FORMAT = 1
DATASET = "dataset.json"


class Kind(StrEnum):
    TICKS = "ticks"
    BARS = "bars"
    DAILY = "daily"
    """One bar a session: no tape, but volume and volatility."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What all symbols of a dataset share; symbols that do not are another dataset's."""

    name: str
    vendor: str
    kind: Kind
    calendar: str
    bar_seconds: int | None = None
    format: int = FORMAT

    @property
    def bar_length(self) -> Micros | None:
        return self.bar_seconds * SECOND if self.bar_seconds is not None else None


@dataclass(frozen=True, slots=True)
class SourceFile:
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One symbol.

    `folder` holds its columns. `quotes` are recorded or assumed. `closing_cross` says in which
    row the closing auction stands: `last_bar`, `bar_at_close`, `print_after_close`, `not_seen`.
    `coverage` is regular or extended hours. `splits` are new shares for an old one, by the first
    day at the new price. `dropped` counts the rows that were left out, by reason; `lost` the same
    by session.
    """

    symbol: str
    folder: str
    checksum: str
    files: tuple[SourceFile, ...]
    price_scale: int
    size_scale: int
    tick: Decimal
    lot: Decimal
    currency: str
    quotes: str
    adjusted: str
    coverage: str
    closing_cross: str
    closing_share: float | None
    splits: Mapping[str, float] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    statements: tuple[tuple[str, str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    columns: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Size in bytes and CRC-32 of each file of columns."""


def read_dataset(folder: Path) -> Dataset:
    """Raises TapeError where `folder` is no dataset."""
    raw = _read(folder / DATASET)
    if raw.get("format") != FORMAT:
        raise TapeError(f"{folder / DATASET}: format {raw.get('format')}, {FORMAT} is known")
    return Dataset(**{**raw, "kind": Kind(raw["kind"])})


def dataset_text(dataset: Dataset) -> str:
    return json.dumps(asdict(dataset), indent=1) + "\n"


def read_manifest(path: Path) -> Manifest:
    raw = _read(path)
    raw["files"] = tuple(SourceFile(**file) for file in raw["files"])
    raw["tick"], raw["lot"] = Decimal(raw["tick"]), Decimal(raw["lot"])
    raw["statements"] = tuple(tuple(said) for said in raw["statements"])
    raw["findings"] = tuple(from_json(found) for found in raw["findings"])
    return Manifest(**raw)


def manifest_text(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=1, default=str) + "\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise TapeError(f"{path}: cannot be read: {wrong}") from wrong
    return found
