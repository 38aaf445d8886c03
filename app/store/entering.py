"""Enters accepted orders and tells them, both in one statement: one round trip for many orders.

Columns travel as arrays of text and are cast in the statement. The driver copies text as it is;
any other type it would encode value by value in Python.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Boolean, Column, Integer, Numeric, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.sql.elements import TextClause

from app.domain.instant import rfc3339
from app.store.database import Connection, to_json
from app.store.tables import events, orders

Columns = Mapping[str, Any]

_TOLD_BY_THE_DATABASE = ("created_at", "updated_at")


async def enter(
    connection: Connection, orders_in: Sequence[Columns], events_in: Sequence[Columns]
) -> dict[str, Columns]:
    """Insert orders and the first event of each; what was entered, whole rows by order id.

    Orders that meet a unique key are left out, with their events. All must name the same columns.
    """
    if not orders_in:
        return {}
    statement = _statement(tuple(orders_in[0]), tuple(events_in[0]))
    arrays = [*_arrays(orders, orders_in), *_arrays(events, events_in)]
    told = {r["id"]: dict(r) for r in await connection.fetch(statement, *arrays)}
    return {o["id"]: {**_DEFAULTS, **o, **told[o["id"]]} for o in orders_in if o["id"] in told}


@lru_cache(maxsize=16)
def _statement(order_names: tuple[str, ...], event_names: tuple[str, ...]) -> str:
    """Built of column names out of our own code, never of anything a client said."""
    return (
        f"WITH entered AS (INSERT INTO orders ({', '.join(order_names)})"
        f" SELECT {_casts(orders, 'o', order_names)}"
        f" FROM unnest({_arguments(len(order_names), 1)}) AS o({', '.join(order_names)})"
        f" ON CONFLICT DO NOTHING RETURNING id, {', '.join(_TOLD_BY_THE_DATABASE)}),"
        f" told AS (INSERT INTO events ({', '.join(event_names)})"
        f" SELECT {_casts(events, 'e', event_names)}"
        f" FROM unnest({_arguments(len(event_names), len(order_names) + 1)})"
        f" AS e({', '.join(event_names)}) JOIN entered ON entered.id = e.order_id::uuid)"
        " SELECT * FROM entered"
    )


def _arguments(count: int, first: int) -> str:
    return ", ".join(f"${number}::text[]" for number in range(first, first + count))


def _casts(table: Table, alias: str, names: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return ", ".join(f"{alias}.{n}::{table.c[n].type.compile(dialect)}" for n in names)


def _arrays(table: Table, rows: Sequence[Columns]) -> list[list[str | None]]:
    return [[*map(_writer(table, name), [row[name] for row in rows])] for name in rows[0]]


Write = Callable[[Any], str | None]


def _writer(table: Table, name: str) -> Write:
    """How values of a column are written as text that PostgreSQL reads."""
    kind = table.c[name].type
    if isinstance(kind, JSONB):
        return _json_writer()
    if isinstance(kind, TIMESTAMP):
        return _moment
    return _plain


def _plain(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    return "\\x" + value.hex() if isinstance(value, bytes) else str(value)


def _json_writer() -> Write:
    """Remembers for one batch: its orders share their curve and their instrument."""
    known: dict[int, str] = {}

    def write(value: Any) -> str:
        written = known.get(id(value))
        if written is None:
            written = known[id(value)] = to_json(value)
        return written

    return write


@lru_cache(maxsize=1024)
def _moment(value: int | str | None) -> str | None:
    return rfc3339(value) if isinstance(value, int) else value


def _default(column: Column[Any]) -> Any:
    """What a column holds that an insert does not name."""
    if column.server_default is None:
        return None
    clause = column.server_default.arg  # type: ignore[attr-defined]
    assert isinstance(clause, TextClause), "the schema writes its defaults as SQL"
    text = clause.text.strip("'")
    match column.type:
        case Boolean():
            return text == "true"
        case Integer():
            return int(text)
        case Numeric():
            return Decimal(text)
        case JSONB():
            return json.loads(text)
        case _:
            return text


_DEFAULTS: Columns = MappingProxyType(
    {c.name: _default(c) for c in orders.columns if c.name not in _TOLD_BY_THE_DATABASE}
)
