"""ANALYZE leaves out columns that no index holds and no plan was found to depend on

Orders change all the time, and the server looks at the whole table anew every minute: of 9,000
orders 470 ms with all columns, 105 ms with those that some query searches by, on the processors
that work the orders. A column that gets an index later has to be taken back in. What an older
release counted of them stays, and grows old, where there was one: no query of ours was found to
depend on it.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_UNSEARCHED = {
    "orders": (
        "body_sha256 key_id signal_id tags instrument notional algo_version asked_algo route_reason"
        " params limit_price session_opens_at session_closes_at curve seed max_participation"
        " max_quote_age_us collar urgency time_in_force on_restart take_profit stop_loss reason"
        " anchor_at anchor_done canceled excess filled_notional fees next_child pause_requested"
        " cancel_reason crossing_quote_at crossing_filled_at rejections rejected_at arrival_bid"
        " arrival_ask daily_volume market_volume market_notional measured_to version seq priority"
        " estimate own_volume_included close_cutoff_us value confirmed limits_version bracket"
    ),
    "children": (
        "epoch price purpose time_in_force quote_at broker_order_id reason why created_at updated_at"
        " adopted stop_price stop_limit_price"
    ),
    "fills": "price fee liquidity corrects",
    "events": "data why",
}


def upgrade() -> None:
    _set(0)


def downgrade() -> None:
    _set(-1)


def _set(target: int) -> None:
    for table, columns in _UNSEARCHED.items():
        changes = [f"ALTER COLUMN {name} SET STATISTICS {target}" for name in columns.split()]
        op.execute(f"ALTER TABLE {table} {', '.join(changes)}")
