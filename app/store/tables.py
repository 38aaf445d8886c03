"""The schema. Alembic reads it; queries are written against it by hand.

Keys begin with the account where a row belongs to one. Money and quantity are `numeric`, moments
`timestamptz`. What must never happen is a constraint here, not only a check in the code.
"""

from app.store.schema.asides import backtest_parents, backtests, idempotency
from app.store.schema.base import Xid8, metadata
from app.store.schema.control import (
    api_keys,
    audit_trail,
    control_log,
    controls,
    limit_log,
    limit_state,
    limits,
    profits,
)
from app.store.schema.house import accounts, instruments, leases, market_clock, meta, watches
from app.store.schema.parents import order_revisions, orders
from app.store.schema.signals import hook_sends, hook_tokens, hooks, increases, signals, strategies
from app.store.schema.trading import (
    alerts,
    archived_fills,
    archived_orders,
    archived_positions,
    busts,
    children,
    events,
    fills,
    marks,
    positions,
    quarantine,
    readers,
)

__all__ = [
    "Xid8",
    "accounts",
    "alerts",
    "api_keys",
    "archived_fills",
    "archived_orders",
    "archived_positions",
    "audit_trail",
    "backtest_parents",
    "backtests",
    "busts",
    "children",
    "control_log",
    "controls",
    "events",
    "fills",
    "hook_sends",
    "hook_tokens",
    "hooks",
    "idempotency",
    "increases",
    "instruments",
    "leases",
    "limit_log",
    "limit_state",
    "limits",
    "market_clock",
    "marks",
    "meta",
    "metadata",
    "order_revisions",
    "orders",
    "positions",
    "profits",
    "quarantine",
    "readers",
    "signals",
    "strategies",
    "watches",
]
