"""brackets: what an order wants to become of its fills, and which groups have something due

Only adds: a release that knows only the one before goes on working on this schema, as long as no
order has a bracket.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("bracket", JSONB()))
    op.add_column(
        "orders",
        sa.Column("exits_due", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.create_index(
        "ix_orders_group",
        "orders",
        ["account", "group_id"],
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index(
        "ix_orders_exits_due",
        "orders",
        ["account", "broker"],
        postgresql_where=sa.text("exits_due"),
    )


def downgrade() -> None:
    op.drop_index("ix_orders_exits_due", table_name="orders")
    op.drop_index("ix_orders_group", table_name="orders")
    op.drop_column("orders", "exits_due")
    op.drop_column("orders", "bracket")
