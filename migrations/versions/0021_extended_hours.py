"""orders that work before the open and after the close

Only adds. A release that knows only the one before takes no such orders; a worker of it that is
handed one stops it for an operator, because its children have a word it does not know.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "orders",
        sa.Column("extended_hours", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("watches", sa.Column("days", postgresql.JSONB(), nullable=True))
    op.drop_constraint(op.f("ck_children_time_in_force"), "children")
    op.create_check_constraint(
        op.f("ck_children_time_in_force"),
        "children",
        "time_in_force IN ('ioc', 'day', 'day_ext', 'opg', 'cls')",
    )


def downgrade() -> None:
    op.execute("UPDATE children SET time_in_force = 'day' WHERE time_in_force = 'day_ext'")
    op.drop_constraint(op.f("ck_children_time_in_force"), "children")
    op.create_check_constraint(
        op.f("ck_children_time_in_force"),
        "children",
        "time_in_force IN ('ioc', 'day', 'opg', 'cls')",
    )
    op.drop_column("watches", "days")
    op.drop_column("orders", "extended_hours")
