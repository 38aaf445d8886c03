"""how long before the close an order leaves the market for the closing auction

Only adds, with a default: a release that knows only the revision before goes on working on this
schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "orders",
        sa.Column(
            "close_cutoff_us", sa.BigInteger(), nullable=False, server_default=sa.text("660000000")
        ),
    )


def downgrade() -> None:
    op.drop_column("orders", "close_cutoff_us")
