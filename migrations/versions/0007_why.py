"""what a decision saw, beside its first event

Only adds: a release that knows only 0004 goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("why", postgresql.JSONB()))


def downgrade() -> None:
    op.drop_column("events", "why")
