"""the log of kill switches cannot be emptied, as the others cannot

Only adds: a release that knows only the one before never empties it either.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE TRUNCATE ON control_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION only_added()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER never_emptied ON control_log")
