"""Enters accepted orders and tells them, both in one statement: one round trip for many orders.

What many orders have in common, their market and most of their terms, travels once; how a column
travels says `store/apart.py`, what becomes of it `store/entry.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Boolean, Column, Integer, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import TextClause

from app.domain.quantity import digits
from app.store.apart import column, joined
from app.store.database import Connection
from app.store.entry import TOLD_BY_THE_DATABASE, Shape, entry_of, shape_of
from app.store.retention import archived
from app.store.rows import Row
from app.store.tables import orders

Columns = Mapping[str, Any]

KNOWN_ONCE = "SL001"
"""SQLSTATE of `none_archived`: an order of that name was removed, nothing is entered."""

HALTED_SINCE = "SL002"
"""SQLSTATE of `none_halted`: a kill switch was thrown while the statement ran, nothing is
entered."""

_TERMS_MAX = 64
"""To find the terms of an order takes as long as there are terms before them."""


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
    name the same. Orders that meet a unique key are left out. `careful`: so are those under a kill
    switch, and asyncpg.PostgresError of KNOWN_ONCE refuses them all for one that was removed. One
    of HALTED_SINCE refuses them all for a switch that bears on one of those entered, one of
    limits.CHANGED_SINCE where the limits are not those of `limits_version` any more.
    """
    if not own:
        return {}
    shape = shape_of(tuple(own[0]))
    if any(len(order) != len(shape.names) for order in own):
        raise ValueError("all orders of a batch name the same columns")
    terms, limited = _terms(shape, own), limits_version is not None
    statement = entry_of(
        shape.names, tuple(markets[0]), shared=terms is not None, careful=careful, limited=limited
    )
    shared = {id(market): market for market in markets}
    places = {market: str(place) for place, market in enumerate(shared, 1)}
    arguments = [
        joined([places[id(market)] for market in markets]),
        *_columns(shape, own, terms),
        *([market[name] for market in shared.values()] for name in markets[0]),
        *((limits_version,) if limited else ()),
    ]
    told = {row["id"]: row for row in await connection.fetch(statement, *arguments)}
    return {
        order["id"]: Entered(order, market, told[order["id"]])
        for order, market in zip(own, markets, strict=True)
        if order["id"] in told
    }


class Entered(Mapping[str, Any]):
    """A row as it was entered; put together when somebody reads it, which mostly nobody does."""

    __slots__ = ("_market", "_order", "_whole", "told")

    def __init__(self, order: Columns, market: Columns, told: Row) -> None:
        self._order, self._market, self.told = order, market, told
        self._whole: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._row[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)

    @property
    def _row(self) -> dict[str, Any]:
        if self._whole is None:
            self._whole = row_of(self._order, self._market)
            self._whole.update({name: self.told[name] for name in TOLD_BY_THE_DATABASE})
        return self._whole


def row_of(order: Columns, market: Columns) -> dict[str, Any]:
    """The row that an order makes, but for what the database tells."""
    row = _DEFAULTS.copy()
    row.update(market)
    row.update(order)
    return row


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


class _Terms(NamedTuple):
    """The kinds of terms in a batch, and the place among them of each order's, from 1."""

    kinds: list[tuple[Any, ...]]
    places: list[str]


def _terms(shape: Shape, own: Sequence[Columns]) -> _Terms | None:
    """None: there are so many that each order may as well bring its own."""
    places: dict[bytes, str] = {}
    terms = _Terms([], [])
    for order in own:
        said = shape.terms(order)
        # Equal texts, equal terms; 1.0 and 1.00 or 1 and true are equal values.
        written = orjson.dumps(said, default=digits)
        place = places.get(written)
        if place is None:
            if len(places) == _TERMS_MAX:
                return None
            place = places[written] = str(len(places) + 1)
            terms.kinds.append(said)
        terms.places.append(place)
    return terms


def _columns(shape: Shape, own: Sequence[Columns], terms: _Terms | None) -> list[str]:
    each = map(column, zip(*map(shape.each, own), strict=True), shape.writers_of_each)
    across = terms.kinds if terms is not None else map(shape.terms, own)
    columns = [*each, *map(column, zip(*across, strict=True), shape.writers_of_terms)]
    return columns if terms is None else [joined(terms.places), *columns]


def _default(named: Column[Any]) -> Any:
    """What a column holds that an insert does not name."""
    if named.server_default is None:
        return None
    clause = named.server_default.arg  # type: ignore[attr-defined]
    assert isinstance(clause, TextClause), "the schema writes its defaults as SQL"
    text = clause.text.strip("'")
    match named.type:
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


_DEFAULTS: MappingProxyType[str, Any] = MappingProxyType(
    {c.name: _default(c) for c in orders.columns if c.name not in TOLD_BY_THE_DATABASE}
)
