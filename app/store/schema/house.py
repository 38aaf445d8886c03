"""The house itself: its name, accounts, market time, who owns what, and what markets told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.store.schema.base import amount, metadata, moment

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
    moment("created_at", default=True),
    # What the broker's rate limit leaves for cancels, as its desk last told; null: any number.
    Column("cancels_per_second", Integer),
)

instruments = Table(
    "instruments",
    metadata,
    Column("symbol", Text, primary_key=True),
    amount("tick"),
    amount("lot"),
    amount("min_qty"),
    Column("calendar", Text, nullable=False),
    Column("currency", Text, nullable=False),
    CheckConstraint("tick > 0 AND lot > 0 AND min_qty > 0", name="grid"),
)

# What the owner of the feed tells everybody else. One row a symbol that somebody asked for.
watches = Table(
    "watches",
    metadata,
    Column("symbol", Text, primary_key=True),
    moment("requested_at", default=True),
    moment("watched_at", nullable=True),
    Column("error", Text),
    Column("sessions", JSONB),
    # The same, each with the hours before its open and after its close.
    Column("days", JSONB),
    Column("curve", JSONB),
    amount("daily_volume", nullable=True),
    # Of a day's trading, as a fraction of the price.
    Column("volatility", Float),
    amount("bid", nullable=True),
    amount("ask", nullable=True),
    amount("bid_size", nullable=True),
    amount("ask_size", nullable=True),
    moment("bid_at", nullable=True),
    moment("ask_at", nullable=True),
    amount("last", nullable=True),
    moment("last_at", nullable=True),
    amount("last_size", nullable=True),
    # The latest whole minute with trades: at, open, high, low, close, volume, trades, vwap.
    Column("minute_bar", JSONB),
    # Order flow and regime, told while somebody asked for them within the hour.
    moment("flow_asked_at", nullable=True),
    Column("flow", JSONB),
    Column("regime", JSONB),
)

market_clock = Table(
    "market_clock",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("feed", Text, nullable=False),
    moment("now"),
    Column("stepped", Boolean, nullable=False),
    amount("speed"),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    moment("told_at", default=True),
    CheckConstraint("one", name="one"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    moment("until", nullable=True),
    moment("free_since", default=True),
    # Since when nobody had it, until the owner of this epoch has done what follows from that.
    Column("unattended_epoch", BigInteger),
    moment("unattended_since", nullable=True),
)
