"""keys that end by themselves, keys for some symbols, and which key takes the place of which

Only adds. A release that knows only the one before takes no notice of either: there a key that has
expired still opens, and a key for some symbols trades all of them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column("api_keys", sa.Column("symbols", postgresql.ARRAY(sa.Text())))
    op.add_column("api_keys", sa.Column("replaces", sa.Text()))


def downgrade() -> None:
    for name in ("replaces", "symbols", "expires_at"):
        op.drop_column("api_keys", name)
