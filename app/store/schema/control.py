"""What bounds and stops orders, who changed it, and who may: switches, limits, keys, the trail."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.store.schema.base import amount, metadata, moment

# Halts and limits: permanent rows, changed by every switch, locked by every intent.
controls = Table(
    "controls",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("halted", Boolean, nullable=False, server_default=text("false")),
    # What a switch asks for while it is thrown: no new children but those that only reduce a
    # position; none at all; open ones canceled as well; positions closed after that.
    Column("level", Text, nullable=False, server_default=text("'halt'")),
    Column("reason", Text),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    moment("changed_at", default=True),
    Column("changed_by", Text),
    CheckConstraint("scope IN ('all', 'account', 'strategy', 'symbol')", name="scope"),
    CheckConstraint("level IN ('close_only', 'halt', 'cancel', 'flatten')", name="level"),
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
    moment("changed_at"),
    Column("changed_by", Text),
)

# Limits that are set: per scope and name, hard, soft or both. Changed by whoever steers risk.
limits = Table(
    "limits",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("limit_name", Text, primary_key=True),
    amount("hard", nullable=True),
    amount("soft", nullable=True),
    Column("reason", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    moment("changed_at", default=True),
    Column("changed_by", Text, nullable=False),
    CheckConstraint(
        "scope IN ('all', 'account', 'key', 'strategy', 'symbol')",
        name="scope",
    ),
    CheckConstraint("hard IS NOT NULL OR soft IS NOT NULL", name="given"),
)

# Every change of a limit, numbered from one without gaps; one that was removed has neither number.
# Rows are only ever added.
limit_log = Table(
    "limit_log",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("scope", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("limit_name", Text, nullable=False),
    amount("hard", nullable=True),
    amount("soft", nullable=True),
    Column("reason", Text, nullable=False),
    moment("changed_at", default=True),
    Column("changed_by", Text, nullable=False),
)

limit_state = Table(
    "limit_state",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("one", name="one"),
)

# Profit and loss of each account as its desk last told it: money since the first fill, at the
# day's begin (UTC), at its best, now.
profits = Table(
    "profits",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Date, nullable=False),
    amount("opened"),
    amount("best"),
    amount("latest"),
    moment("told_at", default=True),
)

# Who changed what. Rows are only ever added: triggers of the migration see to it.
audit_trail = Table(
    "audit_trail",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    moment("at", default=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("account", Text),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("reason", Text),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("accounts", ARRAY(Text)),
    moment("created_at", default=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    # How plain orders of Alpaca's clients are worked with this key.
    Column("default_algo", Text),
    # From then on it opens nothing; NULL: it does not end by itself.
    moment("expires_at", nullable=True),
    # What may be traded with it; NULL: everything.
    Column("symbols", ARRAY(Text)),
    # The key that it takes the place of, while both live.
    Column("replaces", Text),
)
