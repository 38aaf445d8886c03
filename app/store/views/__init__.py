"""Read-only views: rows as the answers that clients see. Nothing here changes anything."""

from app.store.views.accounts import (
    accounts,
    alert,
    alert_counts,
    alerts,
    positions,
    signal,
    signal_answer,
    signals,
)
from app.store.views.activities import activities
from app.store.views.ahead import Ahead, ahead
from app.store.views.backtests import backtest, backtest_parents, backtests
from app.store.views.costs import cost_row, cost_summary, daily, sample, tca
from app.store.views.details import child, children, events, fills, first_events, why
from app.store.views.execution import WINDOWS, backlog, execution, execution_rows
from app.store.views.holdings import account_money, holding, holdings, instruments, latest
from app.store.views.moments import Moment, moment_of, position_after
from app.store.views.named import named, named_by_client, named_list, names_of
from app.store.views.orders import (
    entered,
    exits,
    find_by_client_id,
    find_order,
    open_ids,
    order,
    order_in_short,
    orders,
    task_of,
)
from app.store.views.outcomes import outcomes
from app.store.views.plain import Answer, Page, moment
from app.store.views.risk import audit_trail, limit_changes
from app.store.views.statistics import order_statistics
from app.store.views.system import leases, schema_revision, statistics, today
from app.store.views.worked import LINES_MAX, worked_order, worked_orders

__all__ = [
    "LINES_MAX",
    "WINDOWS",
    "Ahead",
    "Answer",
    "Moment",
    "Page",
    "account_money",
    "accounts",
    "activities",
    "ahead",
    "alert",
    "alert_counts",
    "alerts",
    "audit_trail",
    "backlog",
    "backtest",
    "backtest_parents",
    "backtests",
    "child",
    "children",
    "cost_row",
    "cost_summary",
    "daily",
    "entered",
    "events",
    "execution",
    "execution_rows",
    "exits",
    "fills",
    "find_by_client_id",
    "find_order",
    "first_events",
    "holding",
    "holdings",
    "instruments",
    "latest",
    "leases",
    "limit_changes",
    "moment",
    "moment_of",
    "named",
    "named_by_client",
    "named_list",
    "names_of",
    "open_ids",
    "order",
    "order_in_short",
    "order_statistics",
    "orders",
    "outcomes",
    "position_after",
    "positions",
    "sample",
    "schema_revision",
    "signal",
    "signal_answer",
    "signals",
    "statistics",
    "task_of",
    "tca",
    "today",
    "why",
    "worked_order",
    "worked_orders",
]
