"""first schema"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
    )
    op.create_table(
        "alerts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "raised_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("acknowledged_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "severity IN ('info', 'warning', 'error', 'critical')", name=op.f("ck_alerts_severity")
        ),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_alerts")),
    )
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["account", "rule", "subject"],
        unique=True,
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("accounts", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "controls",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("halted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "changed_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "scope IN ('all', 'account', 'strategy', 'symbol')", name=op.f("ck_controls_scope")
        ),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_controls")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(order_id IS NULL) = (seq IS NULL)", name=op.f("ck_events_seq")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "account", "order_id", "seq", name=op.f("uq_events_account_order_id_seq")
        ),
    )
    op.create_index("ix_events_cursor", "events", ["xid", "id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "instruments",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("tick", sa.Numeric(), nullable=False),
        sa.Column("lot", sa.Numeric(), nullable=False),
        sa.Column("min_qty", sa.Numeric(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "tick > 0 AND lot > 0 AND min_qty > 0", name=op.f("ck_instruments_grid")
        ),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_instruments")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "free_since",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "market_clock",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("now", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("stepped", sa.Boolean(), nullable=False),
        sa.Column("speed", sa.Numeric(), nullable=False),
        sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "told_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("one", name=op.f("ck_market_clock_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_market_clock")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "orders",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.UUID(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column(
            "tags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("instrument", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("qty", sa.Numeric(), nullable=False),
        sa.Column("notional", sa.Numeric(), nullable=True),
        sa.Column("algo", sa.Text(), nullable=False),
        sa.Column("algo_version", sa.Integer(), nullable=False),
        sa.Column("asked_algo", sa.Text(), nullable=False),
        sa.Column("route_reason", sa.Text(), nullable=True),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("limit_price", sa.Numeric(), nullable=True),
        sa.Column("start_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("end_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("session_opens_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("session_closes_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("curve", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("max_participation", sa.Numeric(), nullable=True),
        sa.Column("max_quote_age_us", sa.BigInteger(), nullable=False),
        sa.Column("collar", sa.Numeric(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("time_in_force", sa.Text(), nullable=False),
        sa.Column("on_restart", sa.Text(), nullable=False),
        sa.Column("take_profit", sa.Numeric(), nullable=True),
        sa.Column("stop_loss", sa.Numeric(), nullable=True),
        sa.Column("group_id", sa.UUID(), nullable=True),
        sa.Column("role", sa.Text(), server_default=sa.text("'single'"), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("anchor_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("anchor_done", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("filled", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("working", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("unknown", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("canceled", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("excess", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("filled_notional", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_child", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("pause_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("crossing_quote_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("crossing_filled_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("rejections", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rejected_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("arrival_bid", sa.Numeric(), nullable=True),
        sa.Column("arrival_ask", sa.Numeric(), nullable=True),
        sa.Column("daily_volume", sa.Numeric(), nullable=True),
        sa.Column("market_volume", sa.Numeric(), nullable=True),
        sa.Column("market_notional", sa.Numeric(), nullable=True),
        sa.Column("measured_to", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("accepted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("attention", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "on_restart IN ('resume', 'pause', 'cancel')", name=op.f("ck_orders_on_restart")
        ),
        sa.CheckConstraint(
            "qty > 0 AND qty < 'infinity' AND excess < 'infinity' AND filled >= 0 AND working >= 0 AND unknown >= 0 AND canceled >= 0 AND excess >= 0 AND filled + working + unknown + canceled <= qty + excess",
            name=op.f("ck_orders_quantities"),
        ),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_orders_side")),
        sa.CheckConstraint(
            "status IN ('accepted', 'scheduled', 'working', 'paused', 'closing', 'needs_operator', 'filled', 'canceled', 'expired', 'rejected')",
            name=op.f("ck_orders_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('filled', 'canceled', 'expired', 'rejected') OR (working = 0 AND unknown = 0)",
            name=op.f("ck_orders_evidence"),
        ),
        sa.CheckConstraint("end_at > start_at", name=op.f("ck_orders_window")),
        sa.CheckConstraint(
            "filled + working + unknown <= qty + excess", name=op.f("ck_orders_reserved")
        ),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_orders")),
        sa.UniqueConstraint(
            "account", "client_order_id", name=op.f("uq_orders_account_client_order_id")
        ),
        sa.UniqueConstraint("key", name=op.f("uq_orders_key")),
    )
    op.create_index(
        "ix_orders_attention",
        "orders",
        ["broker", "account"],
        unique=False,
        postgresql_where=sa.text("attention"),
    )
    op.create_index("ix_orders_id", "orders", ["id"], unique=False)
    op.create_index("ix_orders_list", "orders", ["account", "created_at", "id"], unique=False)
    op.create_index(
        "ix_orders_open",
        "orders",
        ["broker", "account"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
    )
    op.create_table(
        "positions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("qty", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("average_price", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("realised", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("account", "symbol", name=op.f("pk_positions")),
    )
    op.create_table(
        "quarantine",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "seen_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "account", "broker", "execution_id", "digest", name=op.f("pk_quarantine")
        ),
    )
    op.create_table(
        "signals",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("verdicts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "decision IN ('execute', 'reduce', 'defer', 'reject')", name=op.f("ck_signals_decision")
        ),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_signals")),
        sa.UniqueConstraint(
            "account", "source", "signal_id", name=op.f("uq_signals_account_source_signal_id")
        ),
    )
    op.create_table(
        "watches",
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column(
            "requested_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("watched_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sessions", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("curve", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("daily_volume", sa.Numeric(), nullable=True),
        sa.Column("bid", sa.Numeric(), nullable=True),
        sa.Column("ask", sa.Numeric(), nullable=True),
        sa.Column("bid_size", sa.Numeric(), nullable=True),
        sa.Column("ask_size", sa.Numeric(), nullable=True),
        sa.Column("bid_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ask_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last", sa.Numeric(), nullable=True),
        sa.Column("last_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("symbol", name=op.f("pk_watches")),
    )
    op.create_table(
        "children",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("qty", sa.Numeric(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("time_in_force", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("intended_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("quote_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("filled", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("broker_order_id", sa.Text(), nullable=True),
        sa.Column("cancel_requested_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("why", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("id ~ '^[a-z0-9-]{1,18}$'", name=op.f("ck_children_id")),
        sa.CheckConstraint(
            "status IN ('intent', 'sent', 'working', 'partially_filled', 'unknown', 'filled', 'canceled', 'rejected', 'expired')",
            name=op.f("ck_children_status"),
        ),
        sa.CheckConstraint(
            "time_in_force IN ('ioc', 'day', 'opg', 'cls')", name=op.f("ck_children_time_in_force")
        ),
        sa.CheckConstraint(
            "qty > 0 AND price > 0 AND filled >= 0", name=op.f("ck_children_quantities")
        ),
        sa.ForeignKeyConstraint(
            ["account", "order_id"],
            ["orders.account", "orders.id"],
            name=op.f("fk_children_account"),
        ),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_children")),
        sa.UniqueConstraint(
            "account", "order_id", "number", name=op.f("uq_children_account_order_id_number")
        ),
    )
    op.create_index(
        "ix_children_live",
        "children",
        ["account", "order_id"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
    )
    op.create_table(
        "fills",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("qty", sa.Numeric(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column("fee", sa.Numeric(), nullable=False),
        sa.Column("liquidity", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "booked_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "qty > 0 AND price > 0 AND qty < 'infinity' AND price < 'infinity'",
            name=op.f("ck_fills_quantities"),
        ),
        sa.ForeignKeyConstraint(
            ["account", "child_id"],
            ["children.account", "children.id"],
            name=op.f("fk_fills_account"),
        ),
        sa.PrimaryKeyConstraint("account", "broker", "execution_id", name=op.f("pk_fills")),
    )
    op.create_index("ix_fills_child", "fills", ["account", "child_id"], unique=False)
    op.create_index("ix_fills_latest", "fills", ["account", "at"], unique=False)
    op.create_index("ix_fills_order", "fills", ["account", "order_id"], unique=False)

    # Another database, or a restore into another cluster, counts transactions anew: the era
    # tells its cursors apart.
    op.execute(
        "INSERT INTO meta (key, value)"
        " VALUES ('era', extract(epoch FROM clock_timestamp())::bigint::text)"
    )
    op.execute("INSERT INTO controls (scope, name) VALUES ('all', '*')")


def downgrade() -> None:
    op.drop_index("ix_fills_order", table_name="fills")
    op.drop_index("ix_fills_latest", table_name="fills")
    op.drop_index("ix_fills_child", table_name="fills")
    op.drop_table("fills")
    op.drop_index(
        "ix_children_live",
        table_name="children",
        postgresql_where=sa.text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
    )
    op.drop_table("children")
    op.drop_table("watches")
    op.drop_table("signals")
    op.drop_table("quarantine")
    op.drop_table("positions")
    op.drop_index(
        "ix_orders_open",
        table_name="orders",
        postgresql_where=sa.text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
    )
    op.drop_index("ix_orders_list", table_name="orders")
    op.drop_index("ix_orders_id", table_name="orders")
    op.drop_index("ix_orders_attention", table_name="orders", postgresql_where=sa.text("attention"))
    op.drop_table("orders")
    op.drop_table("meta")
    op.drop_table("market_clock")
    op.drop_table("leases")
    op.drop_table("instruments")
    op.drop_table("idempotency")
    op.drop_index("ix_events_cursor", table_name="events")
    op.drop_table("events")
    op.drop_table("controls")
    op.drop_table("api_keys")
    op.drop_index(
        "uq_alerts_open", table_name="alerts", postgresql_where=sa.text("acknowledged_at IS NULL")
    )
    op.drop_table("alerts")
    op.drop_table("accounts")
