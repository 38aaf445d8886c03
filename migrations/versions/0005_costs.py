"""a day's volatility beside each watched symbol, the cost estimate of each order

Only adds: a release that knows only 0004 goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watches", sa.Column("volatility", sa.Float()))
    op.add_column("orders", sa.Column("estimate", postgresql.JSONB()))


def downgrade() -> None:
    op.drop_column("orders", "estimate")
    op.drop_column("watches", "volatility")
