"""Finished orders as files: one line of JSON an order, gzip, one file a day.

`orders-2026-11-21.jsonl.gz` holds the orders that were last touched on that day (UTC). Each batch
is a gzip member of its own, on disk before anything is removed. A crash in the midst of writing
leaves a torn end, which the next writer cuts off; what a file has is not written again. An order
that changed after it was archived has two lines: the one with the higher version counts.
"""

import gzip
import json
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import LargeBinary, Numeric, Table
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.store import tables
from app.store.database import Connection
from app.store.retention import Finished

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """An order with everything that belongs to it, as one line of JSON."""

    day: str
    order_id: str
    version: int
    line: str


async def documents(connection: Connection, finished: Sequence[Finished]) -> list[Document]:
    """The orders with children, fills, events, marks, signal and idempotency keys. Decimals are
    strings, times RFC 3339 in UTC. Those that have changed since they were found are left out."""
    rows = await connection.fetch(_QUERY, *_columns(finished))
    return [Document(row["day"], row["id"], row["version"], row["line"]) for row in rows]


def _columns(finished: Sequence[Finished]) -> tuple[list[str], list[str], list[int]]:
    return (
        [f.account for f in finished],
        [f.id for f in finished],
        [f.version for f in finished],
    )


class NotArchived(Exception):
    """The orders could not be written, and must stay where they are."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a file holds, when it had so many bytes."""

    path: Path
    size: int
    orders: frozenset[tuple[str, int]]


class Archive:
    """The files of one folder. Several processes may write, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: _Known | None = None

    def write(self, found: Sequence[Document]) -> None:
        """Returned means on disk. Raises NotArchived."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for day in sorted({document.day for document in found}):
                path = self._folder / f"orders-{day}.jsonl.gz"
                self._write(path, [d for d in found if d.day == day])
            _sync(self._folder)
        except OSError as failure:
            raise NotArchived(f"{self._folder}: {failure}") from failure

    def _write(self, path: Path, found: Sequence[Document]) -> None:
        known = self._known
        if known is None or known.path != path or not path.exists():
            known = _mended(path)
        elif known.size != path.stat().st_size:
            # Another worker wrote since, or our last attempt was torn.
            known = _mended(path)
        fresh = [d for d in found if (d.order_id, d.version) not in known.orders]
        if fresh:
            _append(path, gzip.compress("".join(f"{d.line}\n" for d in fresh).encode()))
        orders = known.orders.union((d.order_id, d.version) for d in fresh)
        self._known = _Known(path, path.stat().st_size, orders)


def read(path: Path) -> Iterator[dict[str, object]]:
    """The orders of one file, as they were written. Raises OSError, ValueError."""
    with gzip.open(path, "rt") as lines:
        yield from map(json.loads, lines)


def _append(path: Path, member: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(member)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A new file's name is on disk only when its folder is."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mended(path: Path) -> _Known:
    """What the file has, once its torn end is cut off. One that is damaged within is set aside as
    it is, and another begun."""
    known: set[tuple[str, int]] = set()
    whole = 0
    if not path.exists():
        _append(path, b"")
    try:
        for text, end in _members(path):
            orders = [json.loads(line)["order"] for line in text.decode().splitlines()]
            known.update((order["id"], order["version"]) for order in orders)
            whole = end
    except (zlib.error, ValueError, KeyError):
        path.rename(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))
        return _mended(path)
    os.truncate(path, whole)
    return _Known(path, whole, frozenset(known))


def _members(path: Path) -> Iterator[tuple[bytes, int]]:
    """Each whole gzip member, and where it ends. Raises zlib.error."""
    end = 0
    with path.open("rb") as file:
        inflate, text = zlib.decompressobj(wbits=31), b""
        while chunk := file.read(_CHUNK):
            while chunk:
                text += inflate.decompress(chunk)
                if not inflate.eof:
                    break
                chunk = inflate.unused_data
                end = file.tell() - len(chunk)
                yield text, end
                inflate, text = zlib.decompressobj(wbits=31), b""


def _select(table: Table) -> str:
    """The table's columns as they are written: `t` is the table."""
    told = []
    for column in table.columns:
        match column.type:
            case Numeric():
                told.append(f"t.{column.name}::text")
            case LargeBinary():
                told.append(f"encode(t.{column.name}, 'hex') AS {column.name}")
            case TIMESTAMP():
                told.append(
                    f"to_char(t.{column.name} AT TIME ZONE 'UTC',"
                    f' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\') AS {column.name}'
                )
            case tables.Xid8():
                told.append(f"t.{column.name}::text")
            case _:
                told.append(f"t.{column.name}")
    return f"SELECT {', '.join(told)} FROM {table.name} t WHERE t.account = o.account AND"


def _many(table: Table, order: str) -> str:
    """Rows that belong to the order `o`, as an array."""
    return (
        f"(SELECT coalesce(json_agg(row_to_json(x) ORDER BY x.{order}), '[]')"
        f" FROM ({_select(table)} t.order_id = o.id) x)"
    )


def _one(table: Table, where: str) -> str:
    return f"(SELECT row_to_json(x) FROM ({_select(table)} {where}) x)"


_QUERY = (
    "SELECT to_char(o.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, o.id, o.version,"
    f" json_build_object('order', {_one(tables.orders, 't.id = o.id')},"
    f" 'children', {_many(tables.children, 'number')},"
    f" 'fills', {_many(tables.fills, 'execution_id')},"
    f" 'events', {_many(tables.events, 'seq')},"
    f" 'revisions', {_many(tables.order_revisions, 'seq')},"
    f" 'marks', {_many(tables.marks, 'at')},"
    f" 'signal', {_one(tables.signals, 't.id = o.signal_id')},"
    f" 'idempotency', {_many(tables.idempotency, 'key')})::text AS line"
    " FROM orders o JOIN unnest($1::text[], $2::uuid[], $3::bigint[]) AS f(account, id, version)"
    " ON o.account = f.account AND o.id = f.id AND o.version = f.version"
    " ORDER BY o.account, o.id"
)
