"""Small files in the formats that replay reads, written the way their vendors write them."""

import gzip
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.domain.instant import Instant, from_datetime

Row = Sequence[object]

OPENS, CLOSES = 34_200_000, 57_600_000
"""Half past nine and four, in milliseconds since midnight."""


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def text_of(rows: Iterable[Row], separator: str = ",") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def lean(
    root: Path, resolution: str, symbol: str, day: str, kind: str, rows: Iterable[Row]
) -> Path:
    folder = root / "equity" / "usa" / resolution / symbol.lower()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day}_{kind}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{day}_{symbol.lower()}_{resolution}_{kind}.csv", text_of(rows))
    return path


def trade(ms: int, price: int, size: int, suspicious: int = 0) -> Row:
    return (ms, price, size, "P", "20000020", suspicious)


def bid(ms: int, price: int, size: int, suspicious: int = 0) -> Row:
    return (ms, price, size, 0, 0, "P", 1, suspicious)


def ask(ms: int, price: int, size: int, suspicious: int = 0) -> Row:
    return (ms, 0, 0, price, size, "P", 1, suspicious)


def dump(path: Path, messages: Iterable[tuple[int, str, dict[str, object]]]) -> Path:
    """A Binance dump; the local clock is 1.27 s behind the exchange's."""
    lines = [
        f"{(moment - 1_270) * 1_000_000} "
        + json.dumps({"stream": f"btcusdt@{stream}", "data": {**data, "T": moment}})
        for moment, stream, data in messages
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def ticker(moment: int, b: str, bs: str, a: str, as_: str) -> tuple[int, str, dict[str, object]]:
    data = {"e": "bookTicker", "s": "BTCUSDT", "b": b, "B": bs, "a": a, "A": as_}
    return moment, "bookTicker", data


def deal(
    moment: int, price: str, size: str, kind: str = "MARKET"
) -> tuple[int, str, dict[str, object]]:
    return moment, "trade", {"e": "trade", "s": "BTCUSDT", "p": price, "q": size, "X": kind}
