"""what changes added to orders, for limits on windows

Only adds. A release that knows only the one before writes nothing here: there an order that is made
larger counts only for what it was when it was entered.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "increases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_id", postgresql.UUID(), nullable=False),
        sa.Column("key_id", sa.Text()),
        sa.Column("strategy", sa.Text()),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column(
            "at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_increases")),
    )
    op.create_index("ix_increases_at", "increases", ["at"])


def downgrade() -> None:
    op.drop_table("increases")
