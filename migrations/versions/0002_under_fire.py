"""kill-switch levels, priority, busts, adoption, positions held elsewhere, readers

Only adds: a release that knows only 0001 goes on working on this schema.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column(
        "controls", sa.Column("level", sa.Text(), server_default=sa.text("'halt'"), nullable=False)
    )
    op.add_column("controls", sa.Column("changed_by", sa.Text()))
    op.create_check_constraint(op.f("ck_controls_level"), "controls", "level IN ('halt', 'cancel')")
    op.create_table(
        "control_log",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Text()),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_control_log")),
    )
    op.execute(
        "CREATE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME"
        " USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON control_log"
        " FOR EACH ROW EXECUTE FUNCTION only_added()"
    )
    op.add_column(
        "orders", sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column(
        "children",
        sa.Column("adopted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("leases", sa.Column("unattended_epoch", sa.BigInteger()))
    op.add_column("leases", sa.Column("unattended_since", MOMENT))
    op.add_column("fills", sa.Column("corrects", sa.Text()))
    op.add_column("fills", sa.Column("busted_at", MOMENT))
    op.add_column("positions", sa.Column("outside", sa.Numeric()))
    op.create_table(
        "busts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("account", "broker", "execution_id", name=op.f("pk_busts")),
    )
    op.create_table(
        "readers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("told_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_readers")),
    )
    _create_archived()


def _create_archived() -> None:
    """What stays of orders and fills that were removed."""
    op.create_table(
        "archived_orders",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("archived_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("account", "client_order_id", name=op.f("pk_archived_orders")),
        sa.UniqueConstraint("key", name=op.f("uq_archived_orders_key")),
    )
    op.create_table(
        "archived_fills",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("execution_id", sa.Text(), nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "account", "broker", "execution_id", name=op.f("pk_archived_fills")
        ),
    )
    zero = sa.text("0")
    op.create_table(
        "archived_positions",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("qty", sa.Numeric(), server_default=zero, nullable=False),
        sa.Column("cash", sa.Numeric(), server_default=zero, nullable=False),
        sa.Column("fees", sa.Numeric(), server_default=zero, nullable=False),
        sa.Column("turned", sa.Numeric(), server_default=zero, nullable=False),
        sa.Column("fills", sa.BigInteger(), server_default=zero, nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", name=op.f("pk_archived_positions")),
    )


def downgrade() -> None:
    op.drop_table("archived_positions")
    op.drop_table("archived_fills")
    op.drop_table("archived_orders")
    op.drop_table("readers")
    op.drop_table("busts")
    op.drop_column("positions", "outside")
    op.drop_column("fills", "busted_at")
    op.drop_column("leases", "unattended_since")
    op.drop_column("leases", "unattended_epoch")
    op.drop_column("fills", "corrects")
    op.drop_column("children", "adopted")
    op.drop_column("orders", "priority")
    op.drop_table("control_log")
    op.execute("DROP FUNCTION only_added")
    op.drop_constraint(op.f("ck_controls_level"), "controls")
    op.drop_column("controls", "changed_by")
    op.drop_column("controls", "level")
