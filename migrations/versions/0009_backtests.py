"""backtests: what was asked, how far it is, and what came of it

Only adds: a release that knows only the one before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "backtests",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("result", postgresql.JSONB()),
        sa.Column("reason", sa.Text()),
        sa.Column(
            "created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("started_at", moment),
        sa.Column("seen_at", moment),
        sa.Column("finished_at", moment),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'canceled', 'interrupted')",
            name=op.f("ck_backtests_state"),
        ),
        sa.CheckConstraint(
            "(state = 'done') = (result IS NOT NULL)", name=op.f("ck_backtests_result")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backtests")),
    )
    op.create_index(
        "ix_backtests_open",
        "backtests",
        ["created_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_table(
        "backtest_parents",
        sa.Column("backtest_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("row", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["backtest_id"],
            ["backtests.id"],
            name=op.f("fk_backtest_parents_backtest_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "backtest_id", "number", "attempt", name=op.f("pk_backtest_parents")
        ),
    )


def downgrade() -> None:
    op.drop_table("backtest_parents")
    op.drop_table("backtests")
