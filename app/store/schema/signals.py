"""Signals, what changes added to orders, strategies and hooks."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.store.schema.base import amount, metadata, moment

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
    # What it came to, in which mode, by which version of its strategy's settings.
    Column("strategy", Text),
    Column("symbol", Text),
    Column("mode", Text),
    Column("side", Text),
    amount("qty", nullable=True),
    amount("final_qty", nullable=True),
    Column("strategy_version", BigInteger),
    # When its source made it, as far as it says.
    moment("made_at", nullable=True),
    moment("at"),
    moment("received_at", default=True),
    UniqueConstraint("account", "source", "signal_id"),
    CheckConstraint("decision IN ('execute', 'reduce', 'defer', 'reject')", name="decision"),
)

# The latest of a strategy and symbol that was followed. Rows that have no
# strategy are in order only where nothing else is in the index.
Index(
    "ix_signals_made",
    signals.c.account,
    signals.c.symbol,
    signals.c.strategy,
    signals.c.made_at,
    postgresql_where=text("decision <> 'reject' OR reason = 'already_there'"),
)
Index(
    "ix_signals_made_unnamed",
    signals.c.account,
    signals.c.symbol,
    signals.c.made_at,
    postgresql_where=text(
        "strategy IS NULL AND (decision <> 'reject' OR reason = 'already_there')"
    ),
)
# Lists: of all accounts, of one, of a strategy; and one by its id alone.
Index("ix_signals_received", signals.c.received_at, signals.c.id)
Index("ix_signals_list", signals.c.account, signals.c.received_at, signals.c.id)
Index(
    "ix_signals_strategy",
    signals.c.strategy,
    signals.c.received_at,
    signals.c.id,
    postgresql_include=["account", "mode", "decision"],
)
Index("ix_signals_id", signals.c.id)
# What retention may remove.
Index("ix_signals_loose", signals.c.received_at, postgresql_where=text("order_id IS NULL"))

# What changes added to orders, in money: limits on windows count it with what was entered.
increases = Table(
    "increases",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Text, nullable=False),
    Column("order_id", UUID, nullable=False),
    Column("key_id", Text),
    Column("strategy", Text),
    Column("symbol", Text, nullable=False),
    amount("value"),
    moment("at", default=True),
)
Index("ix_increases_at", increases.c.at)

# How a strategy's signals are judged, and how far they are let through. `*`: any other's.
strategies = Table(
    "strategies",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("kind", Text),
    Column("mode", Text, nullable=False),
    moment("mode_since", default=True),
    # Whether money was not real where that mode was set: what was earned there holds only there.
    Column("paper", Boolean),
    Column("gates", JSONB, nullable=False),
    Column("smart", Boolean, nullable=False, server_default=text("true")),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    moment("changed_at", default=True),
    Column("changed_by", Text, nullable=False),
    CheckConstraint("mode IN ('shadow', 'paper', 'canary', 'live')", name="mode"),
)

# Secret addresses at which alerts arrive. Of token and passphrase only a SHA-256 is stored.
hooks = Table(
    "hooks",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("symbols", JSONB),
    Column("sizes", Text, nullable=False),
    amount("fixed_qty", nullable=True),
    amount("max_qty", nullable=True),
    amount("max_notional", nullable=True),
    Column("per_minute", Integer, nullable=False),
    Column("max_lag_us", BigInteger),
    Column("sources", ARRAY(Text)),
    Column("salt", LargeBinary),
    Column("passphrase_sha256", LargeBinary),
    moment("made_at", default=True),
    Column("made_by", Text, nullable=False),
    moment("expires_at", nullable=True),
    moment("ended_at", nullable=True),
    moment("used_at", nullable=True),
    # Why the last alert was refused: whoever sent it is not told.
    moment("refused_at", nullable=True),
    Column("refused", Text),
    CheckConstraint("sizes IN ('message', 'fixed', 'position')", name="sizes"),
    CheckConstraint("max_qty IS NOT NULL OR max_notional IS NOT NULL", name="capped"),
)
hook_tokens = Table(
    "hook_tokens",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("hook_id", Text, nullable=False),
    moment("made_at", default=True),
    moment("until", nullable=True),
)
Index("ix_hook_tokens_hook", hook_tokens.c.account, hook_tokens.c.hook_id)
# Which alerts came lately: a resend finds its signal's id here, and the next minute its count.
hook_sends = Table(
    "hook_sends",
    metadata,
    Column("account", Text, primary_key=True),
    Column("hook_id", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("signal_id", Text, nullable=False),
    moment("at", default=True),
)
Index("ix_hook_sends_at", hook_sends.c.account, hook_sends.c.hook_id, hook_sends.c.at)
