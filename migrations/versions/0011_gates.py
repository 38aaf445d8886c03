"""watches: order flow and regime of a symbol, while signals come for it

Only adds: a release that knows only the one before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watches", sa.Column("flow_asked_at", postgresql.TIMESTAMP(timezone=True)))
    op.add_column("watches", sa.Column("flow", postgresql.JSONB()))
    op.add_column("watches", sa.Column("regime", postgresql.JSONB()))


def downgrade() -> None:
    for name in ("regime", "flow", "flow_asked_at"):
        op.drop_column("watches", name)
