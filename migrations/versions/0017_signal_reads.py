"""signals are read by index however many were kept; what a strategy holds of a position as well

Only indexes: any release works with them. The one that `ix_signals_made` takes the place of had the
same columns, and those of turned away signals beside them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

FOLLOWED = "(decision <> 'reject' OR reason = 'already_there')"


def upgrade() -> None:
    op.create_index(
        "ix_signals_made",
        "signals",
        ["account", "symbol", "strategy", "made_at"],
        postgresql_where=sa.text(FOLLOWED),
    )
    op.create_index(
        "ix_signals_made_unnamed",
        "signals",
        ["account", "symbol", "made_at"],
        postgresql_where=sa.text(f"strategy IS NULL AND {FOLLOWED}"),
    )
    op.create_index(
        "ix_signals_strategy",
        "signals",
        ["strategy", "received_at", "id"],
        postgresql_include=["account", "mode", "decision"],
    )
    op.create_index("ix_signals_received", "signals", ["received_at", "id"])
    op.create_index("ix_signals_id", "signals", ["id"])
    op.create_index(
        "ix_signals_loose",
        "signals",
        ["received_at"],
        postgresql_where=sa.text("order_id IS NULL"),
    )
    op.drop_index("ix_signals_latest", table_name="signals")
    op.create_index("ix_orders_strategy", "orders", ["account", "symbol", "strategy"])


def downgrade() -> None:
    op.drop_index("ix_orders_strategy", table_name="orders")
    op.create_index("ix_signals_latest", "signals", ["account", "symbol", "strategy", "made_at"])
    for name in ("loose", "id", "received", "strategy", "made_unnamed", "made"):
        op.drop_index(f"ix_signals_{name}", table_name="signals")
