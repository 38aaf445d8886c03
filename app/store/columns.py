"""Columns by name: a newer release may add some while this one works, and `*` would change under
a statement that the driver remembers."""

from app.store.tables import children, orders, positions

ORDERS = ", ".join(column.name for column in orders.columns)
CHILDREN = ", ".join(column.name for column in children.columns)
POSITIONS = ", ".join(column.name for column in positions.columns)
