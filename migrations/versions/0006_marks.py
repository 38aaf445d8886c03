"""what the market showed at the moments that costs are measured by

Only adds: a release that knows only the one before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("bid", sa.Numeric()),
        sa.Column("ask", sa.Numeric()),
        sa.Column("quoted_at", postgresql.TIMESTAMP(timezone=True)),
        sa.Column("reason", sa.Text()),
        sa.Column(
            "taken_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "CASE WHEN reason IS NULL THEN (bid > 0 AND ask > 0 AND quoted_at IS NOT NULL) IS TRUE"
            " ELSE bid IS NULL AND ask IS NULL END",
            name=op.f("ck_marks_known"),
        ),
        sa.PrimaryKeyConstraint("account", "order_id", "at", name=op.f("pk_marks")),
    )
    op.add_column("orders", sa.Column("own_volume_included", sa.Boolean()))
    op.create_index(
        "ix_orders_finished",
        "orders",
        ["account", "finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index(
        "ix_events_recorded",
        "events",
        ["recorded_at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "true"},
    )


def downgrade() -> None:
    op.drop_index("ix_events_recorded", "events")
    op.drop_index("ix_orders_finished", "orders")
    op.drop_column("orders", "own_volume_included")
    op.drop_table("marks")
