"""The statement that enters orders and their first events."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple

from app.store.apart import Write, taken_apart, writer
from app.store.columns import sql_type
from app.store.tables import orders

TOLD_BY_THE_DATABASE = ("created_at", "updated_at")

_EACH = frozenset(
    {"id", "key", "client_order_id", "body_sha256", "qty", "limit_price", "value", "estimate"}
    | {"start_at", "end_at", "anchor_at", "seed", "group_id", "signal_id"}
)
"""What an order seldom has in common with another. The rest, its terms, is mostly the same for all
that a strategy sends."""

Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]
Writers = tuple[Write | None, ...]


class Shape(NamedTuple):
    """The columns that orders name: those that each has for itself, and its terms."""

    names: tuple[str, ...]
    names_of_each: tuple[str, ...]
    names_of_terms: tuple[str, ...]
    each: Values
    terms: Values
    writers_of_each: Writers
    writers_of_terms: Writers


@lru_cache(maxsize=16)
def shape_of(names: tuple[str, ...]) -> Shape:
    each = tuple(name for name in names if name in _EACH)
    terms = tuple(name for name in names if name not in _EACH)
    assert min(len(each), len(terms)) > 1, "of one name `itemgetter` makes no tuple"
    return Shape(
        names, each, terms, itemgetter(*each), itemgetter(*terms), _writers(each), _writers(terms)
    )


def _writers(names: Sequence[str]) -> Writers:
    return tuple(writer(orders.c[name]) for name in names)


@lru_cache(maxsize=32)
def entry_of(
    names: tuple[str, ...], market: tuple[str, ...], *, shared: bool, careful: bool, limited: bool
) -> str:
    """Built of column names out of our own code, never of anything a client said.

    Its parameters: the place of each order's market, with `shared` that of its terms too, the
    columns of each and those of terms, all as texts (`store/apart.py`); the market's columns as
    arrays; with `limited` the version of the limits.
    """
    numbers = count(1)
    tables, said, source = _sources(shape_of(names), numbers, shared=shared)
    # A subscript reads the value where it lies, parsed once for all orders that have it.
    said |= {name: f"(${next(numbers)}::{_type(name)}[])[o.market]" for name in market}
    halted = f" WHERE NOT EXISTS ({_halted(said)})" if careful else ""
    return (
        f"WITH {tables}entered AS (INSERT INTO orders ({', '.join(said)})"
        f" SELECT {', '.join(said.values())} FROM {source}{halted} ON CONFLICT DO NOTHING"
        f" RETURNING {_OF_AN_EVENT}, strategy, role, reduce_only,"
        f" {', '.join(TOLD_BY_THE_DATABASE)}),"
        f" told AS ({_EVENT})"
        f" SELECT id, {', '.join(TOLD_BY_THE_DATABASE)} FROM entered"
        # Asked when all are inserted, which waits for whoever holds or removes an order of that
        # name; meanwhile a switch may have been thrown.
        f" CROSS JOIN (SELECT {', '.join(_asked(numbers, careful=careful, limited=limited))}"
        " FROM entered) AS asked"
    )


def _sources(
    shape: Shape, numbers: Iterator[int], *, shared: bool
) -> tuple[str, dict[str, str], str]:
    """Tables that stand before the statement, each column's value, and what they come from."""
    placed = ("market", "terms") if shared else ("market",)
    places = [f"{taken_apart(next(numbers))}::int[]" for _ in placed]
    texts = {
        name: taken_apart(next(numbers)) for name in (*shape.names_of_each, *shape.names_of_terms)
    }
    rows = shape.names_of_each if shared else tuple(texts)
    values = {name: f"o.{name}::{_type(name)}" for name in rows}
    taken = ", ".join((*places, *(texts[name] for name in rows)))
    source = f"unnest({taken}) AS o({', '.join((*placed, *rows))})"
    if not shared:
        return "", values, source
    terms = [f"{texts[name]}::{_type(name)}[] AS {name}" for name in shape.names_of_terms]
    values |= {name: f"t.{name}[o.terms]" for name in shape.names_of_terms}
    # Materialized: of one row, which is not worked out anew for every order. Joined with one row,
    # orders stay in the order in which they wait for others of the same names.
    return f"t AS MATERIALIZED (SELECT {', '.join(terms)}), ", values, f"{source}, t"


def _type(name: str) -> str:
    return sql_type(orders.c[name])


def _halted(said: Mapping[str, str]) -> str:
    """What finds a switch that bears on an order."""
    by_name = [f"c.scope = '{name}' AND c.name = {said[name]}" for name in _HALTED_BY]
    return (
        "SELECT FROM controls c WHERE c.halted"
        f" AND NOT (c.level = 'close_only' AND {said.get('reduce_only', 'false')})"
        f" AND (c.scope = 'all' OR {' OR '.join(by_name)})"
    )


def _asked(numbers: Iterator[int], *, careful: bool, limited: bool) -> list[str]:
    # What is entered for fills that are there already: switches govern its children alone.
    asked = [
        f"{function}({', '.join(f'array_agg({name}) FILTER ({asking})' for name in _HALTED_BY)})"
        for function, asking in _ASKED
    ]
    if careful:
        asked.append("none_archived(array_agg(account), array_agg(client_order_id))")
    if limited:
        asked.append(f"limits_are(${next(numbers)})")
    return asked


_HALTED_BY = ("account", "symbol", "strategy")
_ASKED = (
    ("none_halted", "WHERE role NOT IN ('flatten', 'exit') AND NOT reduce_only"),
    ("none_halted_closing", "WHERE role NOT IN ('flatten', 'exit') AND reduce_only"),
)
_OF_AN_EVENT = (
    "account, id, client_order_id, symbol, side, algo, route_reason, status, qty, accepted_at"
)
# `jsonb_object` knows that all are texts; of each value `jsonb_build_object` has to find it out.
_EVENT = (
    "INSERT INTO events (account, order_id, seq, type, at, data)"
    " SELECT account, id, 1, 'order.accepted', accepted_at, jsonb_object(ARRAY["
    "'client_order_id', client_order_id, 'side', side, 'algo', algo,"
    " 'route_reason', route_reason]) || jsonb_build_object('order', jsonb_object(ARRAY["
    "'status', status, 'qty', qty::text, 'unsent', qty::text, 'filled', '0', 'working', '0',"
    " 'unknown', '0', 'canceled', '0', 'excess', '0', 'symbol', symbol])) FROM entered"
)
