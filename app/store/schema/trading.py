"""Children, fills, what was told of them, positions, archives and alerts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from app.domain.lifecycle import ChildStatus
from app.store.schema.base import Xid8, among, amount, metadata, moment

children = Table(
    "children",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("order_id", UUID, nullable=False),
    Column("number", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    amount("qty"),
    amount("price"),
    Column("purpose", Text, nullable=False),
    Column("time_in_force", Text, nullable=False),
    Column("status", Text, nullable=False),
    moment("intended_at"),
    moment("quote_at"),
    amount("filled", zero=True),
    Column("broker_order_id", Text),
    moment("cancel_requested_at", nullable=True),
    Column("reason", Text),
    # Inputs, envelope and binding guard of the decision: the answer to "why".
    Column("why", JSONB, nullable=False),
    # Found at the broker with an id of ours, after our journal had lost it.
    Column("adopted", Boolean, nullable=False, server_default=text("false")),
    moment("created_at", default=True),
    moment("updated_at", default=True),
    # The stop that rests with it at the broker; without a limit of its own it is that alone.
    amount("stop_price", nullable=True),
    amount("stop_limit_price", nullable=True),
    UniqueConstraint("account", "order_id", "number"),
    ForeignKeyConstraint(["account", "order_id"], ["orders.account", "orders.id"]),
    CheckConstraint("qty > 0 AND price > 0 AND filled >= 0", name="quantities"),
    CheckConstraint("stop_price > 0 AND stop_limit_price > 0", name="stop"),
    CheckConstraint("id ~ '^[a-z0-9-]{1,18}$'", name="id"),
    CheckConstraint(
        "time_in_force IN ('ioc', 'day', 'day_ext', 'opg', 'cls')", name="time_in_force"
    ),
    CheckConstraint(among("status", ChildStatus), name="status"),
)
Index(
    "ix_children_live",
    children.c.account,
    children.c.order_id,
    postgresql_where=text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
)

fills = Table(
    "fills",
    metadata,
    Column("account", Text, primary_key=True),
    Column("broker", Text, primary_key=True),
    Column("execution_id", Text, primary_key=True),
    Column("order_id", UUID, nullable=False),
    Column("child_id", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    amount("qty"),
    amount("price"),
    amount("fee"),
    Column("liquidity", Text, nullable=False),
    moment("at"),
    moment("booked_at", default=True),
    # The execution this one replaces; and when this one was declared void itself.
    Column("corrects", Text),
    moment("busted_at", nullable=True),
    ForeignKeyConstraint(["account", "child_id"], ["children.account", "children.id"]),
    CheckConstraint(
        "qty > 0 AND price > 0 AND qty < 'infinity' AND price < 'infinity'", name="quantities"
    ),
)
Index("ix_fills_latest", fills.c.account, fills.c.at)
Index(
    "ix_fills_busted",
    fills.c.account,
    fills.c.busted_at,
    postgresql_where=text("busted_at IS NOT NULL"),
)
Index("ix_fills_order", fills.c.account, fills.c.order_id)
Index("ix_fills_child", fills.c.account, fills.c.child_id)

# Executions that a broker declared void. One may be told before the execution itself.
busts = Table(
    "busts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("broker", Text, primary_key=True),
    Column("execution_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    moment("at"),
    moment("told_at", default=True),
)

# Executions that name no child of ours, or that contradict a booked one: never dropped.
quarantine = Table(
    "quarantine",
    metadata,
    Column("account", Text, primary_key=True),
    Column("broker", Text, primary_key=True),
    Column("execution_id", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("report", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    moment("seen_at", default=True),
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    # Readers stay below the oldest running transaction, so no late commit is ever skipped.
    Column("xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    Column("account", Text, nullable=False),
    Column("order_id", UUID),
    Column("seq", BigInteger),
    Column("type", Text, nullable=False),
    moment("at"),
    moment("recorded_at", default=True),
    Column("data", JSONB, nullable=False),
    # What a decision without a child saw, what an amendment changed; no reader of the log asks.
    Column("why", JSONB),
    UniqueConstraint("account", "order_id", "seq"),
    CheckConstraint("(order_id IS NULL) = (seq IS NULL)", name="seq"),
)
Index("ix_events_cursor", events.c.xid, events.c.id)
# Rows lie in the order of their recording: a window of time needs no more than this.
Index(
    "ix_events_recorded",
    events.c.recorded_at,
    postgresql_using="brin",
    postgresql_with={"autosummarize": "true"},
)

# What the market showed at a moment that an order's costs are measured by: each fill, a while
# after it, the order's end. Without a quote, the reason.
marks = Table(
    "marks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("order_id", UUID, primary_key=True),
    Column("at", TIMESTAMP(timezone=True), primary_key=True),
    amount("bid", nullable=True),
    amount("ask", nullable=True),
    moment("quoted_at", nullable=True),
    Column("reason", Text),
    moment("taken_at", default=True),
    CheckConstraint(
        "CASE WHEN reason IS NULL THEN (bid > 0 AND ask > 0 AND quoted_at IS NOT NULL) IS TRUE"
        " ELSE bid IS NULL AND ask IS NULL END",
        name="known",
    ),
)

positions = Table(
    "positions",
    metadata,
    Column("account", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    amount("qty", zero=True),
    amount("average_price", zero=True),
    amount("realised", zero=True),
    amount("fees", zero=True),
    # What the broker holds beyond our own fills, as first reconciled: not ours to trade.
    amount("outside", nullable=True),
    moment("updated_at", default=True),
)

# How far each API process has read for its slowest subscriber: no event after that is removed.
readers = Table(
    "readers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
    moment("told_at", default=True),
)

# What stays of an order that was removed, so that it is never entered again.
archived_orders = Table(
    "archived_orders",
    metadata,
    Column("account", Text, primary_key=True),
    Column("client_order_id", Text, primary_key=True),
    Column("id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    moment("archived_at", default=True),
    UniqueConstraint("key"),
)

# What stays of a fill, so that a broker that tells it again is not believed a second time.
archived_fills = Table(
    "archived_fills",
    metadata,
    Column("account", Text, primary_key=True),
    Column("broker", Text, primary_key=True),
    Column("execution_id", Text, primary_key=True),
    Column("child_id", Text, nullable=False),
)

# The sums of removed fills: a position is these and the fills that are left.
archived_positions = Table(
    "archived_positions",
    metadata,
    Column("account", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    amount("qty", zero=True),
    amount("cash", zero=True),
    amount("fees", zero=True),
    amount("turned", zero=True),
    Column("fills", BigInteger, nullable=False, server_default=text("0")),
)

alerts = Table(
    "alerts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("order_id", UUID),
    Column("count", Integer, nullable=False, server_default=text("1")),
    moment("at"),
    moment("raised_at", default=True),
    moment("acknowledged_at", nullable=True),
    Column("acknowledged_by", Text),
    CheckConstraint("severity IN ('info', 'warning', 'error', 'critical')", name="severity"),
)
# One open alert a rule and subject: a storm collapses into a count.
Index(
    "uq_alerts_open",
    alerts.c.account,
    alerts.c.rule,
    alerts.c.subject,
    unique=True,
    postgresql_where=text("acknowledged_at IS NULL"),
)
