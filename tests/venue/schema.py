"""The tables of the venue's ledger; what they mean is said in the package's own words."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY, behaviour TEXT NOT NULL, execution_ids TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, client_id TEXT NOT NULL,
    venue_id TEXT NOT NULL UNIQUE, symbol TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL,
    limit_price TEXT NOT NULL, tif TEXT NOT NULL, received_at INTEGER NOT NULL, send_by INTEGER,
    code TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_client_id ON orders (account, client_id);
CREATE TABLE IF NOT EXISTS twins (
    order_seq INTEGER PRIMARY KEY REFERENCES orders (seq), head_seq INTEGER NOT NULL,
    stop_price TEXT NOT NULL, stop_limit_price TEXT, set_off_at INTEGER, replaces TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS twins_by_head ON twins (head_seq);
CREATE TABLE IF NOT EXISTS executions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, execution_id TEXT NOT NULL,
    order_seq INTEGER NOT NULL REFERENCES orders (seq), venue_id TEXT NOT NULL,
    client_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL,
    price TEXT NOT NULL, fee TEXT NOT NULL, liquidity TEXT NOT NULL, at INTEGER NOT NULL,
    corrects TEXT, UNIQUE (account, symbol, execution_id), UNIQUE (account, symbol, corrects)
) STRICT;
CREATE INDEX IF NOT EXISTS executions_of_order ON executions (order_seq);
CREATE INDEX IF NOT EXISTS executions_in_time ON executions (account, at);
CREATE TABLE IF NOT EXISTS busts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, execution_id TEXT NOT NULL,
    symbol TEXT NOT NULL, client_id TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
    UNIQUE (account, symbol, execution_id)
) STRICT;
CREATE TABLE IF NOT EXISTS ends (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL,
    order_seq INTEGER NOT NULL UNIQUE REFERENCES orders (seq), venue_id TEXT NOT NULL,
    client_id TEXT NOT NULL, status TEXT NOT NULL, reason TEXT, filled TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS cancels (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, client_id TEXT NOT NULL,
    received_at INTEGER NOT NULL, code TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS stream (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, at INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS stream_of_account ON stream (account, seq);
CREATE TABLE IF NOT EXISTS faults (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS agenda (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, due INTEGER NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS agenda_by_due ON agenda (due, seq);
"""
