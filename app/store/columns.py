"""Columns by name: a newer release may add some while this one works, and `*` would change under
a statement that the driver remembers."""

from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects import postgresql

from app.store.tables import children, orders, positions

ORDERS = ", ".join(column.name for column in orders.columns)
CHILDREN = ", ".join(column.name for column in children.columns)
POSITIONS = ", ".join(column.name for column in positions.columns)


def sql_type(column: Column[Any]) -> str:
    """A column's type as PostgreSQL writes it."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(column.type.compile(dialect))
