"""What was answered once, and backtests."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from app.store.schema.base import metadata, moment

idempotency = Table(
    "idempotency",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_sha256", LargeBinary, nullable=False),
    Column("account", Text, nullable=False),
    Column("order_id", UUID, nullable=False),
    moment("created_at", default=True),
)

backtests = Table(
    "backtests",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("plan", JSONB, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("result", JSONB),
    Column("reason", Text),
    moment("created_at", default=True),
    moment("started_at", nullable=True),
    moment("seen_at", nullable=True),
    moment("finished_at", nullable=True),
    CheckConstraint(
        "state IN ('queued', 'running', 'done', 'failed', 'canceled', 'interrupted')", name="state"
    ),
    CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="result"),
    Index(
        "ix_backtests_open",
        "created_at",
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
)

backtest_parents = Table(
    "backtest_parents",
    metadata,
    Column("backtest_id", UUID, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("row", JSONB, nullable=False),
    ForeignKeyConstraint(["backtest_id"], ["backtests.id"], ondelete="CASCADE"),
)
