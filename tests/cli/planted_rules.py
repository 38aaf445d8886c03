"""Faults of control, pace, order of events and liveness; see `planted`."""

from tests.cli.planted import (
    CANCELED_ORDER,
    CHILD_OF_TWAP,
    FILLED_ORDER,
    OPEN_CHILD,
    Planted,
)

LONG_AGO = "clock_timestamp() - interval '1 hour'"
FIRST_INTENT = (
    f"(SELECT min(seq) FROM events WHERE order_id = {FILLED_ORDER} AND type = 'child.intended')"
)

PRICES = (
    Planted(
        "no child is priced outside the collar around the last trade",
        (f"UPDATE children SET why = jsonb_set(why, '{{last}}', '\"1\"') WHERE {CHILD_OF_TWAP}",),
    ),
    Planted(
        "no child is priced outside the collar around the last trade",
        ("UPDATE children SET stop_price = price, stop_limit_price ="
         f" price * CASE side WHEN 'buy' THEN 3 ELSE 0.3 END WHERE {CHILD_OF_TWAP}",),
    ),
    Planted(
        "participation stays under its cap, by what each decision saw",
        (f"UPDATE orders SET max_participation = 0.0001 WHERE id = {FILLED_ORDER}",),
    ),
    Planted(
        "no child is larger than its order allows",
        ("UPDATE orders SET params = params || '{\"max_child\": \"1\"}'"
         f" WHERE id = {FILLED_ORDER}",),
    ),
    Planted(
        "no child is decided on a quote of the future, or on one too old",
        (
            "UPDATE children SET why = jsonb_set(jsonb_set(why,"
            " '{quote,bid_at}', '\"2001-01-01T00:00:00Z\"'),"
            f" '{{quote,ask_at}}', '\"2001-01-01T00:00:00Z\"') WHERE {CHILD_OF_TWAP}",
        ),
    ),
    Planted(
        "every child was decided on the sums that its intent met",
        (f"UPDATE children SET why = jsonb_set(why, '{{filled}}', '\"7\"') WHERE {CHILD_OF_TWAP}",),
    ),
)  # fmt: skip

CONTROL = (
    Planted(
        "no child is sent under a halt",
        (
            # What closes positions passes halts, and none asked for that.
            "UPDATE orders SET role = 'flatten'",
            "INSERT INTO controls (scope, name, halted, level, changed_at)"
            f" VALUES ('account', 'main', true, 'cancel', {LONG_AGO})",
        ),
    ),
    Planted(
        "an order that only reduces sends no child beyond the position",
        (f"UPDATE orders SET reduce_only = true WHERE id = {FILLED_ORDER}",),
    ),
    Planted(
        "what is open under a switch that cancels has a cancel request",
        (
            "INSERT INTO controls (scope, name, halted, level, changed_at)"
            f" VALUES ('symbol', 'GLOBEX', true, 'cancel', {LONG_AGO})",
            f"UPDATE children SET updated_at = {LONG_AGO}",
        ),
    ),
    Planted(
        "no child is sent under a halt",
        (
            # Taken back since: only the log of changes knows of it.
            "CREATE TABLE IF NOT EXISTS control_log (version bigint, scope text, name text,"
            " halted boolean, level text, reason text, changed_at timestamptz, changed_by text)",
            "INSERT INTO control_log VALUES"
            f" (1, 'account', 'main', true, 'halt', 'x', {LONG_AGO}, 'x'),"
            " (2, 'account', 'main', false, 'halt', 'x', clock_timestamp(), 'x')",
        ),
    ),
    Planted(
        "no more than 100 children of an order are open",
        (
            f"INSERT INTO events (account, order_id, seq, type, at, data)"
            " SELECT account, order_id, 100000 + n, type, at,"
            " data || jsonb_build_object('child_id', 'x' || n, 'number', 1000 + n)"
            f" FROM events, generate_series(1, 101) n WHERE order_id = {FILLED_ORDER}"
            f" AND seq = {FIRST_INTENT}",
        ),
    ),
)

ORDER_OF_EVENTS = (
    Planted(
        "subscribers get an order's events in the order of their numbers",
        (f"UPDATE events SET xid = '1' WHERE order_id = {FILLED_ORDER} AND seq = 3",),
    ),
    Planted(
        "an order's events do not go back in market time",
        ("UPDATE events SET at = at - interval '1 day'"
         f" WHERE order_id = {FILLED_ORDER} AND seq = 4",),
    ),
    Planted(
        "filled + working + unknown never exceed qty + excess at any event",
        ("UPDATE events SET data = jsonb_set(data, '{order,working}', '\"5000\"')"
         f" WHERE order_id = {FILLED_ORDER} AND seq = {FIRST_INTENT}",),
    ),
)  # fmt: skip

PROGRESS = (
    Planted(
        "an order past its end is over, or needs an operator",
        ("UPDATE market_clock SET now = now + interval '10 years'",),
    ),
    Planted(
        "an order that needs an operator, or ended unfilled, says why",
        (f"UPDATE orders SET reason = NULL WHERE id = {CANCELED_ORDER}",),
    ),
    Planted(
        "what is unknown for long has an open alert",
        (f"UPDATE children SET status = 'unknown', updated_at = {LONG_AGO}"
         f" WHERE id = {OPEN_CHILD}",),
    ),
    Planted(
        "a desk with open orders has an owner while a worker lives",
        (
            "UPDATE leases SET until = clock_timestamp() + interval '1 hour'",
            f"UPDATE leases SET until = NULL, free_since = {LONG_AGO} WHERE name LIKE 'desk%'",
            f"UPDATE orders SET created_at = {LONG_AGO}",
        ),
    ),
    Planted(
        "what is open at the venue is open in our books",
        ledger=(
            "PRAGMA foreign_keys = OFF",
            "DROP TRIGGER outcomes_never_deleted",
            "DELETE FROM outcomes WHERE status = 'filled'",
        ),
    ),
)  # fmt: skip

EXITS = (
    Planted(
        "exits fill no more than their entry did",
        (
            f"UPDATE orders SET group_id = {CANCELED_ORDER}, role = 'exit'"
            f" WHERE id = {FILLED_ORDER}",
            f"UPDATE orders SET group_id = id, role = 'entry' WHERE id = {CANCELED_ORDER}",
        ),
    ),
    Planted(
        "an exit only reduces, on the other side of its entry, beside no other open one",
        (f"UPDATE orders SET group_id = id, role = 'exit' WHERE id = {FILLED_ORDER}",),
    ),
)

ALL = (*EXITS, *PRICES, *CONTROL, *ORDER_OF_EVENTS, *PROGRESS)
