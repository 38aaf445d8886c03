"""kill switches that flatten, where to find the orders that they enter, and how fast brokers cancel

Only adds: a release that knows only the one before goes on working on this schema, as long as no
switch of the new level is thrown.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_controls_level"), "controls", type_="check")
    op.create_check_constraint(
        op.f("ck_controls_level"), "controls", "level IN ('halt', 'cancel', 'flatten')"
    )
    op.add_column("accounts", sa.Column("cancels_per_second", sa.Integer()))
    op.create_index(
        "ix_orders_flatten",
        "orders",
        ["account", "symbol"],
        postgresql_where=sa.text("role = 'flatten'"),
    )


def downgrade() -> None:
    op.drop_column("accounts", "cancels_per_second")
    op.drop_index("ix_orders_flatten", table_name="orders")
    op.drop_constraint(op.f("ck_controls_level"), "controls", type_="check")
    op.execute("UPDATE controls SET level = 'cancel' WHERE level = 'flatten'")
    op.create_check_constraint(op.f("ck_controls_level"), "controls", "level IN ('halt', 'cancel')")
