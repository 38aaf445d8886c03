"""kill switches that let through what only reduces a position

Only adds a word. A worker that knows only the release before takes a switch of this level for one
that halts everything.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

LEVEL = "ck_controls_level"


def upgrade() -> None:
    op.drop_constraint(op.f(LEVEL), "controls")
    op.create_check_constraint(
        op.f(LEVEL), "controls", "level IN ('close_only', 'halt', 'cancel', 'flatten')"
    )
    op.execute(
        "CREATE FUNCTION none_halted_closing(accounts text[], symbols text[], strategies text[])"
        " RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN"
        " IF EXISTS (SELECT FROM controls c JOIN unnest(accounts, symbols, strategies)"
        " AS o(account, symbol, strategy) ON c.halted AND c.level <> 'close_only'"
        " AND (c.scope = 'all'"
        " OR c.scope = 'account' AND c.name = o.account"
        " OR c.scope = 'symbol' AND c.name = o.symbol"
        " OR c.scope = 'strategy' AND c.name = o.strategy)) THEN"
        " RAISE EXCEPTION 'a kill switch was thrown meanwhile' USING ERRCODE = 'SL002';"
        " END IF; RETURN true; END $$"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION none_halted_closing")
    op.execute("UPDATE controls SET level = 'halt' WHERE level = 'close_only'")
    op.drop_constraint(op.f(LEVEL), "controls")
    op.create_check_constraint(op.f(LEVEL), "controls", "level IN ('halt', 'cancel', 'flatten')")
