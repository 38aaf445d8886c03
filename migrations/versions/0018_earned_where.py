"""where a strategy's mode was set: with real money or without

Only adds. What was set before counts as set where it is. A release that knows only the one before
takes no notice: there a mode that was earned without real money holds with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("strategies", sa.Column("paper", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("strategies", "paper")
