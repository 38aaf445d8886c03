"""Read-only views: rows as the answers that clients see. Nothing here changes anything."""

from app.store.views.accounts import accounts, alert, alerts, positions, signal, signal_answer
from app.store.views.costs import tca
from app.store.views.details import child, children, events, fills, why
from app.store.views.orders import (
    find_by_client_id,
    find_order,
    open_ids,
    order,
    orders,
    task_of,
)
from app.store.views.plain import Answer, Page
from app.store.views.statistics import order_statistics
from app.store.views.system import leases, schema_revision, statistics

__all__ = [
    "Answer",
    "Page",
    "accounts",
    "alert",
    "alerts",
    "child",
    "children",
    "events",
    "fills",
    "find_by_client_id",
    "find_order",
    "leases",
    "open_ids",
    "order",
    "order_statistics",
    "orders",
    "positions",
    "schema_revision",
    "signal",
    "signal_answer",
    "statistics",
    "task_of",
    "tca",
    "why",
]
