"""Parent orders and what was changed in them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.domain.lifecycle import OrderStatus
from app.store.schema.base import among, amount, metadata, moment

orders = Table(
    "orders",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    # The eleven characters that child ids are made of: an orphan finds its parent by it.
    Column("key", Text, nullable=False),
    Column("client_order_id", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("broker", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signal_id", UUID),
    Column("strategy", Text),
    Column("tags", JSONB, nullable=False, server_default=text("'[]'")),
    Column("symbol", Text, nullable=False),
    Column("instrument", JSONB, nullable=False),
    Column("side", Text, nullable=False),
    amount("qty"),
    amount("notional", nullable=True),
    Column("algo", Text, nullable=False),
    Column("algo_version", Integer, nullable=False),
    Column("asked_algo", Text, nullable=False),
    Column("route_reason", Text),
    Column("params", JSONB, nullable=False),
    amount("limit_price", nullable=True),
    moment("start_at"),
    moment("end_at"),
    moment("session_opens_at"),
    moment("session_closes_at"),
    Column("curve", JSONB, nullable=False),
    Column("seed", Text, nullable=False),
    amount("max_participation", nullable=True),
    Column("max_quote_age_us", BigInteger, nullable=False),
    amount("collar"),
    # How long before the close a rest is entered for the closing auction.
    Column("close_cutoff_us", BigInteger, nullable=False, server_default=text("660000000")),
    Column("urgency", Text, nullable=False),
    # Who goes first where not all can: higher before lower, older before younger.
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("time_in_force", Text, nullable=False),
    Column("on_restart", Text, nullable=False),
    amount("take_profit", nullable=True),
    amount("stop_loss", nullable=True),
    Column("group_id", UUID),
    Column("role", Text, nullable=False, server_default=text("'single'")),
    Column("reduce_only", Boolean, nullable=False, server_default=text("false")),
    Column("extended_hours", Boolean, nullable=False, server_default=text("false")),
    # What becomes of its fills; set in the transaction that changes what its exits owe.
    Column("bracket", JSONB),
    Column("exits_due", Boolean, nullable=False, server_default=text("false")),
    # What limits counted it for, as of which version of them, and what a person confirmed.
    amount("value", nullable=True),
    Column("limits_version", BigInteger),
    Column("confirmed", JSONB),
    # What accrues.
    Column("status", Text, nullable=False),
    Column("reason", Text),
    moment("anchor_at"),
    amount("anchor_done", zero=True),
    amount("filled", zero=True),
    amount("working", zero=True),
    amount("unknown", zero=True),
    amount("canceled", zero=True),
    amount("excess", zero=True),
    amount("filled_notional", zero=True),
    amount("fees", zero=True),
    Column("next_child", Integer, nullable=False, server_default=text("1")),
    Column("pause_requested", Boolean, nullable=False, server_default=text("false")),
    Column("cancel_reason", Text),
    moment("crossing_quote_at", nullable=True),
    moment("crossing_filled_at", nullable=True),
    Column("rejections", Integer, nullable=False, server_default=text("0")),
    moment("rejected_at", nullable=True),
    amount("arrival_bid", nullable=True),
    amount("arrival_ask", nullable=True),
    amount("daily_volume", nullable=True),
    # What it was expected to cost when it was accepted, and from what that was made.
    Column("estimate", JSONB),
    # What the market traded since the start, up to `measured_to`: for the interval VWAP.
    amount("market_volume", nullable=True),
    amount("market_notional", nullable=True),
    moment("measured_to", nullable=True),
    # Whether that counts our own fills.
    Column("own_volume_included", Boolean),
    moment("accepted_at"),
    moment("created_at", default=True),
    moment("updated_at", default=True),
    moment("finished_at", nullable=True),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("seq", BigInteger, nullable=False, server_default=text("1")),
    # Set by whoever changes an order from outside its desk; the desk clears it and looks.
    Column("attention", Boolean, nullable=False, server_default=text("true")),
    UniqueConstraint("account", "client_order_id"),
    UniqueConstraint("key"),
    CheckConstraint("filled + working + unknown <= qty + excess", name="reserved"),
    CheckConstraint(
        # NaN is above infinity in PostgreSQL, and so refused.
        "qty > 0 AND qty < 'infinity' AND excess < 'infinity' AND filled >= 0"
        " AND working >= 0 AND unknown >= 0 AND canceled >= 0 AND excess >= 0"
        " AND filled + working + unknown + canceled <= qty + excess",
        name="quantities",
    ),
    CheckConstraint("end_at > start_at", name="window"),
    CheckConstraint("side IN ('buy', 'sell')", name="side"),
    CheckConstraint(among("status", OrderStatus), name="status"),
    CheckConstraint(
        "status NOT IN ('filled', 'canceled', 'expired', 'rejected')"
        " OR (working = 0 AND unknown = 0)",
        name="evidence",
    ),
    CheckConstraint("on_restart IN ('resume', 'pause', 'cancel')", name="on_restart"),
)
Index(
    # In an order that no other index has: where most orders were flagged when the planner last
    # counted, it would rather walk all of them by their id.
    "ix_orders_attention",
    orders.c.broker,
    orders.c.account,
    orders.c.id.nulls_first(),
    postgresql_where=text("attention"),
)
Index(
    "ix_orders_open",
    orders.c.broker,
    orders.c.account,
    postgresql_where=text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
)
Index(
    "ix_orders_group",
    orders.c.account,
    orders.c.group_id,
    postgresql_where=text("group_id IS NOT NULL"),
)
Index(
    "ix_orders_exits_due",
    orders.c.account,
    orders.c.broker,
    postgresql_where=text("exits_due"),
)
# The doors know an order by its id alone.
Index("ix_orders_id", orders.c.id)
# Limits count what was entered lately, by everybody.
Index("ix_orders_created", orders.c.created_at)
Index("ix_orders_list", orders.c.account, orders.c.created_at, orders.c.id)
# As Alpaca's clients list them.
Index("ix_orders_accepted", orders.c.account, orders.c.accepted_at)

# What kill switches entered to close positions.
Index(
    "ix_orders_flatten",
    orders.c.account,
    orders.c.symbol,
    postgresql_where=text("role = 'flatten'"),
)

# What the orders of a strategy made of a position.
Index("ix_orders_strategy", orders.c.account, orders.c.symbol, orders.c.strategy)

Index(
    "ix_orders_finished",
    orders.c.account,
    orders.c.finished_at,
    postgresql_where=text("finished_at IS NOT NULL"),
)

# Alpaca's clients know an order that was replaced by a new id, and the old one as `replaced`.
# `replaces` is the id before this one, `before` what that one was, `seq` the order's own event.
order_revisions = Table(
    "order_revisions",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("order_id", UUID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("replaces", UUID, nullable=False),
    Column("client_order_id", Text, nullable=False),
    Column("before", JSONB, nullable=False),
    moment("at"),
    UniqueConstraint("account", "order_id", "seq"),
    UniqueConstraint("account", "replaces"),
    UniqueConstraint("account", "client_order_id"),
    ForeignKeyConstraint(
        ["account", "order_id"], ["orders.account", "orders.id"], ondelete="CASCADE"
    ),
    Index("ix_order_revisions_at", "account", "at"),
)
