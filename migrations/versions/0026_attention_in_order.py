"""orders that ask for attention lie in their order

A desk takes the oldest few. Without the order in the index the planner may walk all orders of the
account instead, where it last counted in a crowd.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make("broker", "account", "id")


def downgrade() -> None:
    _make("broker", "account")


def _make(*columns: str) -> None:
    op.drop_index("ix_orders_attention", "orders")
    where = sa.text("attention")
    op.create_index("ix_orders_attention", "orders", list(columns), postgresql_where=where)
