"""The tables of the ledger. Rows are added and never changed: triggers see to that."""

_TABLES = """
CREATE TABLE IF NOT EXISTS venue (
    account TEXT PRIMARY KEY
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    venue_id TEXT NOT NULL UNIQUE,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    qty TEXT NOT NULL,
    limit_price TEXT NOT NULL,
    time_in_force TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    arrives_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS cancels (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    arrives_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS repeats (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS executions (
    seq INTEGER PRIMARY KEY,
    execution_id TEXT NOT NULL UNIQUE,
    order_number INTEGER NOT NULL REFERENCES orders (number),
    qty TEXT NOT NULL,
    price TEXT NOT NULL,
    fee TEXT NOT NULL,
    liquidity TEXT NOT NULL CHECK (liquidity IN ('taker', 'maker')),
    at INTEGER NOT NULL,
    shown_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS rested (
    seq INTEGER PRIMARY KEY,
    order_number INTEGER NOT NULL UNIQUE REFERENCES orders (number),
    filled TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outcomes (
    seq INTEGER PRIMARY KEY,
    order_number INTEGER NOT NULL UNIQUE REFERENCES orders (number),
    status TEXT NOT NULL CHECK (status IN ('filled', 'canceled', 'expired', 'rejected')),
    reason TEXT,
    filled TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS executions_of_order ON executions (order_number);
CREATE INDEX IF NOT EXISTS executions_in_time ON executions (at, seq);
CREATE INDEX IF NOT EXISTS executions_by_shown ON executions (shown_at);
CREATE INDEX IF NOT EXISTS cancels_of_order ON cancels (client_id);
"""

_KEYS = {
    "venue": ("account",),
    "orders": ("number", "client_id", "venue_id"),
    "cancels": ("number",),
    "repeats": ("number",),
    "executions": ("seq", "execution_id"),
    "rested": ("seq", "order_number"),
    "outcomes": ("seq", "order_number"),
}


def _refusals(table: str, keys: tuple[str, ...]) -> str:
    refuse = "SELECT RAISE(ABORT, 'the ledger is append-only')"
    # INSERT OR REPLACE deletes without firing the delete trigger, so an insert looks first.
    taken = " OR ".join(f"{key} = NEW.{key}" for key in keys)
    return f"""
CREATE TRIGGER IF NOT EXISTS {table}_never_updated BEFORE UPDATE ON {table}
BEGIN {refuse}; END;
CREATE TRIGGER IF NOT EXISTS {table}_never_deleted BEFORE DELETE ON {table}
BEGIN {refuse}; END;
CREATE TRIGGER IF NOT EXISTS {table}_never_replaced BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken})
BEGIN {refuse}; END;
"""


SCHEMA = _TABLES + "".join(_refusals(table, keys) for table, keys in _KEYS.items())
