"""Enters accepted orders and tells them, both in one statement: one round trip for many orders.

A column of many orders travels as one text, taken apart and cast in the statement: the driver
copies text as it is, where it would ask of each value of an array twice whether it is an array
itself. What many orders have in common, their market, travels once.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType, NoneType
from typing import Any

import orjson
from sqlalchemy import Boolean, Column, Integer, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlalchemy.sql.elements import TextClause

from app.domain.instant import rfc3339
from app.domain.quantity import digits
from app.store.columns import sql_type
from app.store.database import Connection
from app.store.retention import archived
from app.store.tables import orders

Columns = Mapping[str, Any]

KNOWN_ONCE = "SL001"
"""SQLSTATE of `none_archived`: an order of that name was removed, nothing is entered."""

HALTED_SINCE = "SL002"
"""SQLSTATE of `none_halted`: a kill switch was thrown while the statement ran, nothing is
entered."""

_TOLD_BY_THE_DATABASE = ("created_at", "updated_at")

_HALTED = (
    "SELECT FROM controls c WHERE c.halted AND NOT (c.level = 'close_only' AND {reduces})"
    " AND (c.scope = 'all'"
    " OR c.scope = 'account' AND c.name = o.account OR c.scope = 'symbol' AND c.name = o.symbol"
    " OR c.scope = 'strategy' AND c.name = o.strategy)"
)

_EVENT = (
    "INSERT INTO events (account, order_id, seq, type, at, data)"
    " SELECT account, id, 1, 'order.accepted', accepted_at, jsonb_build_object("
    "'client_order_id', client_order_id, 'side', side, 'algo', algo,"
    " 'route_reason', route_reason, 'order', jsonb_build_object('status', status,"
    " 'qty', qty::text, 'unsent', qty::text, 'filled', '0', 'working', '0', 'unknown', '0',"
    " 'canceled', '0', 'excess', '0', 'symbol', symbol)) FROM entered"
)
_HALTED_BY = ("account", "symbol", "strategy")
_ASKED = (
    ("none_halted", "WHERE role NOT IN ('flatten', 'exit') AND NOT reduce_only"),
    ("none_halted_closing", "WHERE role NOT IN ('flatten', 'exit') AND reduce_only"),
)
_OF_AN_EVENT = (
    "account, id, client_order_id, symbol, side, algo, route_reason, status, qty, accepted_at"
)


async def enter(
    connection: Connection,
    own: Sequence[Columns],
    markets: Sequence[Columns],
    *,
    careful: bool = False,
    limits_version: int | None = None,
) -> dict[str, Columns]:
    """Insert orders and the first event of each; what was entered, whole rows by order id.

    An order is its own columns and those of its market, which lie at the same place; all must
    name the same, in the same order. Orders that meet a unique key are left out. `careful`: so
    are those under a kill switch, and asyncpg.PostgresError of KNOWN_ONCE refuses them all for one
    that was removed. One of HALTED_SINCE refuses them all for a switch that bears on one of those
    entered, one of limits.CHANGED_SINCE where the limits are not those of `limits_version` any
    more.
    """
    if not own:
        return {}
    statement, writers = _statement(
        tuple(own[0]), tuple(markets[0]), careful, limits_version is not None
    )
    shared = {id(market): market for market in markets}
    places = {market: str(place) for place, market in enumerate(shared, 1)}
    columns = [_column([places[id(market)] for market in markets], None)]
    for values, (_, write) in zip(_across(own), writers, strict=True):
        columns.append(_column(values, write))
    once = [[market[name] for market in shared.values()] for name in markets[0]]
    last = [] if limits_version is None else [limits_version]
    told = {r["id"]: r for r in await connection.fetch(statement, *columns, *once, *last)}
    # Made once for all that share a market; the rest of a row is copied as a whole.
    bases = {market: {**_DEFAULTS, **shared[market]} for market in shared}
    entered: dict[str, Columns] = {}
    for order, market in zip(own, markets, strict=True):
        if order["id"] in told:
            row = bases[id(market)].copy()
            row.update(order)
            row.update(_told(told[order["id"]]))
            entered[order["id"]] = row
    return entered


async def withdraw_known(connection: Connection, own: Sequence[Columns]) -> dict[str, str]:
    """Take those out again, in the transaction that entered them, that bear the name of an order
    that was removed: its id by theirs.

    Asked after the insert, which waits for whoever is removing an order of that name.
    """
    names = {order["id"]: (order["account"], order["client_order_id"]) for order in own}
    gone = await archived(connection, list(names.values()))
    if gone:
        again = [order for order in own if names[order["id"]] in gone]
        for table, name in (("events", "order_id"), ("orders", "id")):
            await connection.execute(
                f"DELETE FROM {table} t USING unnest($1::text[], $2::uuid[]) AS mine(account, id)"
                f" WHERE t.account = mine.account AND t.{name} = mine.id",
                [order["account"] for order in again],
                [order["id"] for order in again],
            )
    return {order_id: gone[name] for order_id, name in names.items() if name in gone}


def _across(own: Sequence[Columns]) -> Iterable[tuple[Any, ...]]:
    """The values of orders, column by column."""
    names = tuple(own[0])
    assert all(tuple(order) == names for order in own), "all name the same, in the same order"
    return zip(*[order.values() for order in own], strict=True)


def _told(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in _TOLD_BY_THE_DATABASE}


Write = Callable[[Any], Any]


@lru_cache(maxsize=16)
def _statement(
    own: tuple[str, ...], market: tuple[str, ...], careful: bool, limited: bool
) -> tuple[str, tuple[tuple[str, Write | None], ...]]:
    """Built of column names out of our own code, never of anything a client said."""
    apart = [
        f"string_to_array(${n}, E'{_SEPARATOR_SQL}', E'{_NULL_SQL}')"
        for n in range(1, len(own) + 2)
    ]
    arguments = ", ".join((f"{apart[0]}::int[]", *apart[1:]))
    values = [f"o.{name}::{_type(name)}" for name in own]
    # A subscript reads the value where it lies, parsed once for all orders that have it.
    values += [f"(${n}::{_type(name)}[])[o.market]" for n, name in enumerate(market, len(own) + 2)]
    reduces = "o.reduce_only::boolean" if "reduce_only" in own else "false"
    halted = f" WHERE NOT EXISTS ({_HALTED.format(reduces=reduces)})" if careful else ""
    # What is entered for fills that are there already: switches govern its children alone.
    asked = [
        f"{function}({', '.join(f'array_agg({name}) FILTER ({asking})' for name in _HALTED_BY)})"
        for function, asking in _ASKED
    ]
    if careful:
        asked.append("none_archived(array_agg(account), array_agg(client_order_id))")
    if limited:
        asked.append(f"limits_are(${2 + len(own) + len(market)})")
    return (
        f"WITH entered AS (INSERT INTO orders ({', '.join((*own, *market))})"
        f" SELECT {', '.join(values)} FROM unnest({arguments}) AS o(market, {', '.join(own)})"
        f"{halted} ON CONFLICT DO NOTHING"
        f" RETURNING {_OF_AN_EVENT}, strategy, role, reduce_only,"
        f" {', '.join(_TOLD_BY_THE_DATABASE)}),"
        f" told AS ({_EVENT})"
        f" SELECT id, {', '.join(_TOLD_BY_THE_DATABASE)} FROM entered"
        # Asked when all are inserted, which waits for whoever holds or removes an order of that
        # name; meanwhile a switch may have been thrown.
        f" CROSS JOIN (SELECT {', '.join(asked)} FROM entered) AS asked"
    ), tuple((name, _writer(name)) for name in own)


_SEPARATOR, _SEPARATOR_SQL = "\x1f", r"\x1f"
_NULL, _NULL_SQL = "\x1e", r"\x1e"
"""Nothing that an order says has control characters: names and labels must not, JSON escapes
them."""


_ALIKE = frozenset({NoneType, str, bool, int})
"""Kinds of which equal values are written alike; 1.0 and 1.00 are equal decimals."""


def _column(values: Sequence[Any], write: Write | None) -> str:
    """A column as one text."""
    first = values[0]
    if type(first) in _ALIKE and values.count(first) == len(values):
        # Most columns say the same of every order of a batch.
        alike = first if write is None else write(first)
        return _joined((_NULL if alike is None else alike,) * len(values))
    return _joined(values if write is None else [*map(write, values)])


def _joined(values: Sequence[str | None]) -> str:
    try:
        # Most columns are whole; to look at each value would take longer than all the rest.
        text = _SEPARATOR.join(values)  # type: ignore[arg-type]
    except TypeError:
        text = _SEPARATOR.join([_NULL if value is None else value for value in values])
    assert text, "PostgreSQL takes an empty text for no values at all"
    assert text.count(_SEPARATOR) == len(values) - 1, "one value each"
    return text


_EMPTY = {type(None): "null", dict: "{}", list: "[]", tuple: "[]"}


def _type(name: str) -> str:
    return sql_type(orders.c[name])


def _writer(name: str) -> Write | None:
    """Who writes the values of a column as text; None: they are."""
    kind = orders.c[name].type
    if isinstance(kind, LargeBinary):
        return _bytes
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, TIMESTAMP):
        return _moment
    if isinstance(kind, Numeric):
        return _number
    return None if isinstance(kind, Text | UUID) else _plain


def _json(value: Any) -> str:
    """Of texts, whole numbers and what is made of them: decimals are texts in an order's JSON."""
    # To begin to write costs more than most have to write.
    return (None if value else _EMPTY.get(type(value))) or orjson.dumps(value).decode()


def _number(value: Decimal | None) -> str | None:
    return None if value is None else digits(value)


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _bytes(value: bytes | str) -> str:
    """In PostgreSQL's own spelling."""
    return value if isinstance(value, str) else "\\x" + value.hex()


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
