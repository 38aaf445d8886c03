"""orders under new names (Alpaca's replace), a key's algorithm, last sizes, minute bars

Only adds: a release that knows only 0003 goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("default_algo", sa.Text()))
    op.add_column("watches", sa.Column("last_size", sa.Numeric()))
    op.add_column("watches", sa.Column("minute_bar", postgresql.JSONB()))
    op.create_table(
        "order_revisions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("order_id", sa.UUID(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.UUID(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "order_id"],
            ["orders.account", "orders.id"],
            name=op.f("fk_order_revisions_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_order_revisions")),
        sa.UniqueConstraint(
            "account", "order_id", "seq", name=op.f("uq_order_revisions_account_order_id_seq")
        ),
        sa.UniqueConstraint(
            "account", "replaces", name=op.f("uq_order_revisions_account_replaces")
        ),
        sa.UniqueConstraint(
            "account", "client_order_id", name=op.f("uq_order_revisions_account_client_order_id")
        ),
    )
    op.create_index("ix_order_revisions_at", "order_revisions", ["account", "at"])
    op.create_index("ix_orders_accepted", "orders", ["account", "accepted_at"])
    op.create_index(
        "ix_fills_busted",
        "fills",
        ["account", "busted_at"],
        postgresql_where=sa.text("busted_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_fills_busted", "fills")
    op.drop_index("ix_orders_accepted", "orders")
    op.drop_table("order_revisions")
    op.drop_column("watches", "minute_bar")
    op.drop_column("watches", "last_size")
    op.drop_column("api_keys", "default_algo")
