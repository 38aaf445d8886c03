"""functions that refuse names of removed orders, and orders under a kill switch thrown meanwhile,
within the statement that enters new ones

Only adds: a release that knows only 0002 goes on working on this schema.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Volatile: it sees what was committed while its caller's statement waited.
    op.execute(
        "CREATE FUNCTION none_archived(accounts text[], names text[]) RETURNS boolean"
        " LANGUAGE plpgsql VOLATILE AS $$ BEGIN"
        " IF EXISTS (SELECT FROM archived_orders JOIN unnest(accounts, names)"
        " AS n(account, client_order_id) USING (account, client_order_id)) THEN"
        " RAISE EXCEPTION 'an order of that name was removed' USING ERRCODE = 'SL001';"
        " END IF; RETURN true; END $$"
    )
    op.execute(
        "CREATE FUNCTION none_halted(accounts text[], symbols text[], strategies text[])"
        " RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN"
        " IF EXISTS (SELECT FROM controls c JOIN unnest(accounts, symbols, strategies)"
        " AS o(account, symbol, strategy) ON c.halted AND (c.scope = 'all'"
        " OR c.scope = 'account' AND c.name = o.account"
        " OR c.scope = 'symbol' AND c.name = o.symbol"
        " OR c.scope = 'strategy' AND c.name = o.strategy)) THEN"
        " RAISE EXCEPTION 'a kill switch was thrown meanwhile' USING ERRCODE = 'SL002';"
        " END IF; RETURN true; END $$"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION none_halted")
    op.execute("DROP FUNCTION none_archived")
