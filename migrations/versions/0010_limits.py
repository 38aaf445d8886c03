"""limits by scope, usage counted on orders, profit and loss, and who changed what

Only adds: a release that knows only the one before goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    _limits()
    op.create_table(
        "profits",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opened", sa.Numeric(), nullable=False),
        sa.Column("best", sa.Numeric(), nullable=False),
        sa.Column("latest", sa.Numeric(), nullable=False),
        sa.Column("told_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_profits")),
    )
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("account", sa.Text()),
        sa.Column("before", postgresql.JSONB()),
        sa.Column("after", postgresql.JSONB()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_trail")),
    )
    for table in ("limit_log", "audit_trail"):
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION only_added()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION only_added()"
        )
    # What an order counted for against limits; by whom, and what was confirmed.
    op.add_column("orders", sa.Column("value", sa.Numeric()))
    op.add_column("orders", sa.Column("confirmed", postgresql.JSONB()))
    op.add_column("orders", sa.Column("limits_version", sa.BigInteger()))
    # Windows over everybody's orders; an account's own has an index.
    op.create_index("ix_orders_created", "orders", ["created_at"])


def _limits() -> None:
    op.create_table(
        "limits",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit_name", sa.Text(), nullable=False),
        sa.Column("hard", sa.Numeric()),
        sa.Column("soft", sa.Numeric()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "scope IN ('all', 'account', 'key', 'strategy', 'symbol')",
            name=op.f("ck_limits_scope"),
        ),
        sa.CheckConstraint("hard IS NOT NULL OR soft IS NOT NULL", name=op.f("ck_limits_given")),
        sa.PrimaryKeyConstraint("scope", "name", "limit_name", name=op.f("pk_limits")),
    )
    op.create_table(
        "limit_log",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("limit_name", sa.Text(), nullable=False),
        sa.Column("hard", sa.Numeric()),
        sa.Column("soft", sa.Numeric()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_limit_log")),
    )
    op.create_table(
        "limit_state",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_limit_state_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_limit_state")),
    )
    op.execute("INSERT INTO limit_state DEFAULT VALUES")
    # Whoever changes a limit holds this lock alone: no order that was checked against the limits
    # before is entered after the change is answered.
    op.execute(
        "CREATE FUNCTION limits_are(known bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$"
        " BEGIN PERFORM pg_advisory_xact_lock_shared(1360330754);"
        " IF (SELECT version FROM limit_state) <> known THEN"
        " RAISE EXCEPTION 'the limits were changed meanwhile' USING ERRCODE = 'SL003';"
        " END IF; RETURN true; END $$"
    )


def downgrade() -> None:
    op.drop_index("ix_orders_created", "orders")
    for column in ("value", "confirmed", "limits_version"):
        op.drop_column("orders", column)
    op.execute("DROP FUNCTION limits_are(bigint)")
    for table in ("audit_trail", "profits", "limit_state", "limit_log", "limits"):
        op.drop_table(table)
