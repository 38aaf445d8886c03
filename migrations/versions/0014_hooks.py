"""hooks: secret addresses at which alerts arrive

Only adds: a release that knows only the one before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "hooks",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("symbols", postgresql.JSONB()),
        sa.Column("sizes", sa.Text(), nullable=False),
        sa.Column("fixed_qty", sa.Numeric()),
        sa.Column("max_qty", sa.Numeric()),
        sa.Column("max_notional", sa.Numeric()),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("max_lag_us", sa.BigInteger()),
        sa.Column("sources", sa.ARRAY(sa.Text())),
        sa.Column("salt", sa.LargeBinary()),
        sa.Column("passphrase_sha256", sa.LargeBinary()),
        sa.Column("made_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("used_at", MOMENT),
        sa.Column("refused_at", MOMENT),
        sa.Column("refused", sa.Text()),
        sa.CheckConstraint(
            "sizes IN ('message', 'fixed', 'position')", name=op.f("ck_hooks_sizes")
        ),
        sa.CheckConstraint(
            "max_qty IS NOT NULL OR max_notional IS NOT NULL", name=op.f("ck_hooks_capped")
        ),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_hooks")),
    )
    op.create_table(
        "hook_tokens",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("hook_id", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("until", MOMENT),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_hook_tokens")),
    )
    op.create_index("ix_hook_tokens_hook", "hook_tokens", ["account", "hook_id"])
    op.create_table(
        "hook_sends",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("hook_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("account", "hook_id", "fingerprint", name=op.f("pk_hook_sends")),
    )
    op.create_index("ix_hook_sends_at", "hook_sends", ["account", "hook_id", "at"])


def downgrade() -> None:
    op.drop_table("hook_sends")
    op.drop_table("hook_tokens")
    op.drop_table("hooks")
