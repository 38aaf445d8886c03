"""The schema. Alembic reads it; queries are written against it by hand.

Keys begin with the account where a row belongs to one. Money and quantity are `numeric`, moments
`timestamptz`. What must never happen is a constraint here, not only a check in the code.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID
from sqlalchemy.types import UserDefinedType

from app.domain.lifecycle import ChildStatus, OrderStatus

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def _moment(name: str, *, nullable: bool = False, default: bool = False) -> Column[object]:
    server_default = text("clock_timestamp()") if default else None
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable, server_default=server_default)


def _amount(name: str, *, nullable: bool = False, zero: bool = False) -> Column[object]:
    server_default = text("0") if zero else None
    return Column(name, Numeric, nullable=nullable, server_default=server_default)


def _among(column: str, words: type[OrderStatus] | type[ChildStatus]) -> str:
    return f"{column} IN ({', '.join(repr(word.value) for word in words)})"


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("broker", Text, nullable=False),
    Column("currency", Text, nullable=False, server_default=text("'USD'")),
    _moment("created_at", default=True),
)

instruments = Table(
    "instruments",
    metadata,
    Column("symbol", Text, primary_key=True),
    _amount("tick"),
    _amount("lot"),
    _amount("min_qty"),
    Column("calendar", Text, nullable=False),
    Column("currency", Text, nullable=False),
    CheckConstraint("tick > 0 AND lot > 0 AND min_qty > 0", name="grid"),
)

# What the owner of the feed tells everybody else. One row a symbol that somebody asked for.
watches = Table(
    "watches",
    metadata,
    Column("symbol", Text, primary_key=True),
    _moment("requested_at", default=True),
    _moment("watched_at", nullable=True),
    Column("error", Text),
    Column("sessions", JSONB),
    Column("curve", JSONB),
    _amount("daily_volume", nullable=True),
    _amount("bid", nullable=True),
    _amount("ask", nullable=True),
    _amount("bid_size", nullable=True),
    _amount("ask_size", nullable=True),
    _moment("bid_at", nullable=True),
    _moment("ask_at", nullable=True),
    _amount("last", nullable=True),
    _moment("last_at", nullable=True),
)

market_clock = Table(
    "market_clock",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("feed", Text, nullable=False),
    _moment("now"),
    Column("stepped", Boolean, nullable=False),
    _amount("speed"),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    _moment("told_at", default=True),
    CheckConstraint("one", name="one"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    _moment("until", nullable=True),
    _moment("free_since", default=True),
    # Since when nobody had it, until the owner of this epoch has done what follows from that.
    Column("unattended_epoch", BigInteger),
    _moment("unattended_since", nullable=True),
)

# Halts and limits: permanent rows, changed by every switch, locked by every intent.
controls = Table(
    "controls",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("halted", Boolean, nullable=False, server_default=text("false")),
    # What a switch asks for while it is thrown: no new children, or open ones canceled as well.
    Column("level", Text, nullable=False, server_default=text("'halt'")),
    Column("reason", Text),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    _moment("changed_at", default=True),
    Column("changed_by", Text),
    CheckConstraint("scope IN ('all', 'account', 'strategy', 'symbol')", name="scope"),
    CheckConstraint("level IN ('halt', 'cancel')", name="level"),
)

# Every change of a switch, numbered from one without gaps. Rows are only ever added: a trigger
# of the migration sees to it.
control_log = Table(
    "control_log",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("halted", Boolean, nullable=False),
    Column("level", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _moment("changed_at"),
    Column("changed_by", Text),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("accounts", ARRAY(Text)),
    _moment("created_at", default=True),
    _moment("revoked_at", nullable=True),
    _moment("last_used_at", nullable=True),
)

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
    _amount("qty"),
    _amount("notional", nullable=True),
    Column("algo", Text, nullable=False),
    Column("algo_version", Integer, nullable=False),
    Column("asked_algo", Text, nullable=False),
    Column("route_reason", Text),
    Column("params", JSONB, nullable=False),
    _amount("limit_price", nullable=True),
    _moment("start_at"),
    _moment("end_at"),
    _moment("session_opens_at"),
    _moment("session_closes_at"),
    Column("curve", JSONB, nullable=False),
    Column("seed", Text, nullable=False),
    _amount("max_participation", nullable=True),
    Column("max_quote_age_us", BigInteger, nullable=False),
    _amount("collar"),
    Column("urgency", Text, nullable=False),
    # Who goes first where not all can: higher before lower, older before younger.
    Column("priority", Integer, nullable=False, server_default=text("0")),
    Column("time_in_force", Text, nullable=False),
    Column("on_restart", Text, nullable=False),
    _amount("take_profit", nullable=True),
    _amount("stop_loss", nullable=True),
    Column("group_id", UUID),
    Column("role", Text, nullable=False, server_default=text("'single'")),
    Column("reduce_only", Boolean, nullable=False, server_default=text("false")),
    # What accrues.
    Column("status", Text, nullable=False),
    Column("reason", Text),
    _moment("anchor_at"),
    _amount("anchor_done", zero=True),
    _amount("filled", zero=True),
    _amount("working", zero=True),
    _amount("unknown", zero=True),
    _amount("canceled", zero=True),
    _amount("excess", zero=True),
    _amount("filled_notional", zero=True),
    _amount("fees", zero=True),
    Column("next_child", Integer, nullable=False, server_default=text("1")),
    Column("pause_requested", Boolean, nullable=False, server_default=text("false")),
    Column("cancel_reason", Text),
    _moment("crossing_quote_at", nullable=True),
    _moment("crossing_filled_at", nullable=True),
    Column("rejections", Integer, nullable=False, server_default=text("0")),
    _moment("rejected_at", nullable=True),
    _amount("arrival_bid", nullable=True),
    _amount("arrival_ask", nullable=True),
    _amount("daily_volume", nullable=True),
    # What the market traded since the start, up to `measured_to`: for the interval VWAP.
    _amount("market_volume", nullable=True),
    _amount("market_notional", nullable=True),
    _moment("measured_to", nullable=True),
    _moment("accepted_at"),
    _moment("created_at", default=True),
    _moment("updated_at", default=True),
    _moment("finished_at", nullable=True),
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
    CheckConstraint(_among("status", OrderStatus), name="status"),
    CheckConstraint(
        "status NOT IN ('filled', 'canceled', 'expired', 'rejected')"
        " OR (working = 0 AND unknown = 0)",
        name="evidence",
    ),
    CheckConstraint("on_restart IN ('resume', 'pause', 'cancel')", name="on_restart"),
)
Index(
    "ix_orders_attention",
    orders.c.broker,
    orders.c.account,
    postgresql_where=text("attention"),
)
Index(
    "ix_orders_open",
    orders.c.broker,
    orders.c.account,
    postgresql_where=text("status NOT IN ('filled', 'canceled', 'expired', 'rejected')"),
)
# The doors know an order by its id alone.
Index("ix_orders_id", orders.c.id)
Index("ix_orders_list", orders.c.account, orders.c.created_at, orders.c.id)

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
    _amount("qty"),
    _amount("price"),
    Column("purpose", Text, nullable=False),
    Column("time_in_force", Text, nullable=False),
    Column("status", Text, nullable=False),
    _moment("intended_at"),
    _moment("quote_at"),
    _amount("filled", zero=True),
    Column("broker_order_id", Text),
    _moment("cancel_requested_at", nullable=True),
    Column("reason", Text),
    # Inputs, envelope and binding guard of the decision: the answer to "why".
    Column("why", JSONB, nullable=False),
    # Found at the broker with an id of ours, after our journal had lost it.
    Column("adopted", Boolean, nullable=False, server_default=text("false")),
    _moment("created_at", default=True),
    _moment("updated_at", default=True),
    UniqueConstraint("account", "order_id", "number"),
    ForeignKeyConstraint(["account", "order_id"], ["orders.account", "orders.id"]),
    CheckConstraint("qty > 0 AND price > 0 AND filled >= 0", name="quantities"),
    CheckConstraint("id ~ '^[a-z0-9-]{1,18}$'", name="id"),
    CheckConstraint("time_in_force IN ('ioc', 'day', 'opg', 'cls')", name="time_in_force"),
    CheckConstraint(_among("status", ChildStatus), name="status"),
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
    _amount("qty"),
    _amount("price"),
    _amount("fee"),
    Column("liquidity", Text, nullable=False),
    _moment("at"),
    _moment("booked_at", default=True),
    # The execution this one replaces; and when this one was declared void itself.
    Column("corrects", Text),
    _moment("busted_at", nullable=True),
    ForeignKeyConstraint(["account", "child_id"], ["children.account", "children.id"]),
    CheckConstraint(
        "qty > 0 AND price > 0 AND qty < 'infinity' AND price < 'infinity'", name="quantities"
    ),
)
Index("ix_fills_latest", fills.c.account, fills.c.at)
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
    _moment("at"),
    _moment("told_at", default=True),
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
    _moment("seen_at", default=True),
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
    _moment("at"),
    _moment("recorded_at", default=True),
    Column("data", JSONB, nullable=False),
    UniqueConstraint("account", "order_id", "seq"),
    CheckConstraint("(order_id IS NULL) = (seq IS NULL)", name="seq"),
)
Index("ix_events_cursor", events.c.xid, events.c.id)

positions = Table(
    "positions",
    metadata,
    Column("account", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    _amount("qty", zero=True),
    _amount("average_price", zero=True),
    _amount("realised", zero=True),
    _amount("fees", zero=True),
    # What the broker holds beyond our own fills, as first reconciled: not ours to trade.
    _amount("outside", nullable=True),
    _moment("updated_at", default=True),
)

# How far each API process has read for its slowest subscriber: no event after that is removed.
readers = Table(
    "readers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
    _moment("told_at", default=True),
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
    _moment("archived_at", default=True),
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
    _amount("qty", zero=True),
    _amount("cash", zero=True),
    _amount("fees", zero=True),
    _amount("turned", zero=True),
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
    _moment("at"),
    _moment("raised_at", default=True),
    _moment("acknowledged_at", nullable=True),
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

signals = Table(
    "signals",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", UUID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("signal_id", Text, nullable=False),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason", Text),
    Column("verdicts", JSONB, nullable=False),
    Column("order_id", UUID),
    _moment("at"),
    _moment("received_at", default=True),
    UniqueConstraint("account", "source", "signal_id"),
    CheckConstraint("decision IN ('execute', 'reduce', 'defer', 'reject')", name="decision"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("account", Text, nullable=False),
    Column("order_id", UUID, nullable=False),
    _moment("created_at", default=True),
)
