"""the stop that rests at the broker with a child

Only adds. A worker that knows only the release before sends its children without one, and does not
know what a broker tells of a stop: none may be out when it takes over (docs/upgrades.md).
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STOP = "ck_children_stop"


def upgrade() -> None:
    op.add_column("children", sa.Column("stop_price", sa.Numeric(), nullable=True))
    op.add_column("children", sa.Column("stop_limit_price", sa.Numeric(), nullable=True))
    op.create_check_constraint(op.f(STOP), "children", "stop_price > 0 AND stop_limit_price > 0")


def downgrade() -> None:
    op.drop_constraint(op.f(STOP), "children")
    op.drop_column("children", "stop_limit_price")
    op.drop_column("children", "stop_price")
