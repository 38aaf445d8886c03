"""strategies: how their signals are judged and how far they are let through; hooks that bring them

Only adds: a release that knows only the one before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "strategies",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("mode_since", MOMENT, server_default=NOW, nullable=False),
        sa.Column("gates", postgresql.JSONB(), nullable=False),
        sa.Column("smart", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("changed_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "mode IN ('shadow', 'paper', 'canary', 'live')", name=op.f("ck_strategies_mode")
        ),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_strategies")),
    )
    # Under which mode and settings a signal was decided, when it was made, and for whom.
    op.add_column("signals", sa.Column("strategy", sa.Text()))
    op.add_column("signals", sa.Column("symbol", sa.Text()))
    op.add_column("signals", sa.Column("mode", sa.Text()))
    op.add_column("signals", sa.Column("made_at", MOMENT))
    op.add_column("signals", sa.Column("side", sa.Text()))
    op.add_column("signals", sa.Column("qty", sa.Numeric()))
    op.add_column("signals", sa.Column("final_qty", sa.Numeric()))
    op.add_column("signals", sa.Column("strategy_version", sa.BigInteger()))
    op.create_index("ix_signals_latest", "signals", ["account", "symbol", "strategy", "made_at"])
    op.create_index("ix_signals_list", "signals", ["account", "received_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_signals_list", "signals")
    op.drop_index("ix_signals_latest", "signals")
    for column in (
        "strategy",
        "symbol",
        "mode",
        "made_at",
        "side",
        "qty",
        "final_qty",
        "strategy_version",
    ):
        op.drop_column("signals", column)
    op.drop_table("strategies")
