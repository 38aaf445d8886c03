"""One fault for every check of the auditor: how to break a true history so that it must see it.

Constraints that make a fault impossible are dropped first: the auditor must not rely on them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """`sql` breaks the database, `ledger` the venue's file; `check` is the one that must fail."""

    check: str
    sql: tuple[str, ...] = ()
    ledger: tuple[str, ...] = ()


def _drop(table: str, *constraints: str) -> tuple[str, ...]:
    return tuple(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE" for name in constraints)


FILLED_CHILD = "(SELECT id FROM children WHERE status = 'filled' ORDER BY id LIMIT 1)"
OPEN_CHILD = "(SELECT id FROM children WHERE status = 'working' ORDER BY id LIMIT 1)"
FILLED_ORDER = "(SELECT id FROM orders WHERE algo = 'twap' AND status = 'filled')"
CANCELED_ORDER = "(SELECT id FROM orders WHERE status = 'canceled')"
LIMIT_ORDER = "(SELECT id FROM orders WHERE algo = 'limit' AND status = 'filled')"
OPEN_ORDER = "(SELECT id FROM orders WHERE status = 'working')"
ANY_FILL = "(SELECT min(execution_id) FROM fills)"
CHILD_OF_TWAP = f"order_id = {FILLED_ORDER} AND number = 2"

QUANTITIES = (
    Planted(
        "a child's fills sum to what it says is filled",
        (f"UPDATE children SET filled = filled - 1 WHERE id = {FILLED_CHILD}",),
    ),
    Planted(
        "a child's fills sum to what it says is filled",
        (f"DELETE FROM fills WHERE execution_id = {ANY_FILL}",),
    ),
    Planted(
        "an order's children sum to what it says is filled",
        (f"UPDATE orders SET filled = filled - 1, canceled = 1 WHERE id = {FILLED_ORDER}",),
    ),
    Planted(
        "what an order reserves is what its open children may still fill",
        (f"UPDATE orders SET working = working - 1 WHERE id = {OPEN_ORDER}",),
    ),
    Planted(
        "what an order reserves is what its open children may still fill",
        (f"UPDATE children SET status = 'unknown' WHERE id = {OPEN_CHILD}",),
    ),
    Planted(
        "filled + working + unknown + unsent + canceled = qty + excess, none below zero",
        (f"UPDATE orders SET canceled = canceled - 1 WHERE id = {CANCELED_ORDER}",),
    ),
    Planted(
        "filled + working + unknown + unsent + canceled = qty + excess, none below zero",
        (
            *_drop("orders", "ck_orders_quantities"),
            f"UPDATE orders SET unknown = -1 WHERE id = {OPEN_ORDER}",
        ),
    ),
    Planted(
        "filled + working + unknown never exceed qty + excess",
        (
            *_drop("orders", "ck_orders_quantities", "ck_orders_reserved"),
            f"UPDATE orders SET qty = qty - 1 WHERE id = {FILLED_ORDER}",
        ),
    ),
    Planted(
        "children and fills are positive",
        (
            *_drop("fills", "ck_fills_quantities"),
            f"UPDATE fills SET qty = -qty WHERE execution_id = {ANY_FILL}",
        ),
    ),
    Planted(
        "quantities are whole lots, prices whole ticks",
        (f"UPDATE children SET price = price + 0.001 WHERE id = {FILLED_CHILD}",),
    ),
    Planted(
        "quantities are whole lots, prices whole ticks",
        (f"UPDATE fills SET qty = qty + 0.5 WHERE execution_id = {ANY_FILL}",),
    ),
    Planted(
        "an order's money and fees are those of its fills",
        (f"UPDATE orders SET fees = fees + 0.01 WHERE id = {FILLED_ORDER}",),
    ),
    Planted(
        "an order's money and fees are those of its fills",
        (f"UPDATE fills SET price = price + 1 WHERE execution_id = {ANY_FILL}",),
    ),
    Planted(
        "a position is the sum of its fills",
        ("UPDATE positions SET qty = qty + 1 WHERE symbol = 'ACME'",),
    ),
    Planted(
        "a position is the sum of its fills",
        ("UPDATE positions SET realised = realised + 0.01 WHERE symbol = 'ACME'",),
    ),
    Planted(
        "a position is the sum of its fills",
        ("DELETE FROM positions WHERE symbol = 'ACME'",),
    ),
)

IDENTITY = (
    Planted(
        "an execution is booked once",
        (
            *_drop("fills", "pk_fills"),
            f"INSERT INTO fills SELECT * FROM fills WHERE execution_id = {ANY_FILL}",
        ),
    ),
    Planted(
        "a client order id stands for one order",
        (
            *_drop("orders", "uq_orders_account_client_order_id"),
            "UPDATE orders SET client_order_id = 'twice' WHERE algo = 'twap'",
        ),
    ),
    Planted(
        "a child id stands for one child",
        (
            *_drop("children", "pk_children", "uq_children_account_order_id_number"),
            f"INSERT INTO children SELECT * FROM children WHERE id = {OPEN_CHILD}",
        ),
    ),
    Planted(
        "a child number is used once",
        (
            *_drop("children", "uq_children_account_order_id_number"),
            f"UPDATE children SET number = 1 WHERE {CHILD_OF_TWAP}",
        ),
    ),
    Planted(
        "a child's id is made of its order's key",
        (f"UPDATE orders SET key = 'somebodyels' WHERE id = {OPEN_ORDER}",),
    ),
    Planted(
        "children and fills belong to their order",
        (f"UPDATE children SET side = 'sell' WHERE {CHILD_OF_TWAP}",),
    ),
    Planted(
        "children and fills belong to their order",
        (f"UPDATE fills SET order_id = {OPEN_ORDER} WHERE execution_id = {ANY_FILL}",),
    ),
    Planted(
        "alerts, signals, keys and orders name each other",
        ("UPDATE alerts SET order_id = gen_random_uuid()",),
    ),
    Planted(
        "alerts, signals, keys and orders name each other",
        ("UPDATE signals SET order_id = NULL",),
    ),
    Planted(
        "alerts, signals, keys and orders name each other",
        (
            "INSERT INTO idempotency (key_id, key, body_sha256, account, order_id)"
            " VALUES ('k', 'k', '', 'main', gen_random_uuid())",
        ),
    ),
)

SENDING = (
    Planted(
        "no child is priced worse than its order's limit",
        (
            "UPDATE children c SET price = o.limit_price + 0.01 FROM orders o"
            f" WHERE o.id = c.order_id AND o.id = {LIMIT_ORDER}",
        ),
    ),
    Planted(
        "no child is priced worse than its order's limit",
        # The amended order: its child after the amendment, at a price only the row's limit bars.
        (f"UPDATE children SET price = 39.51 WHERE id = {OPEN_CHILD}",),
    ),
    Planted(
        "no child is sent before the start, from the end on, or outside the session",
        (
            "UPDATE children c SET intended_at = o.start_at - interval '1 microsecond'"
            f" FROM orders o WHERE o.id = c.order_id AND {CHILD_OF_TWAP}",
        ),
    ),
    Planted(
        "no child is sent before the start, from the end on, or outside the session",
        (
            "UPDATE children c SET intended_at = o.end_at"
            f" FROM orders o WHERE o.id = c.order_id AND {CHILD_OF_TWAP}",
        ),
    ),
    Planted(
        "no child is decided on a quote of the future, or on one too old",
        (
            "UPDATE children SET quote_at = intended_at + interval '1 microsecond'"
            f" WHERE {CHILD_OF_TWAP}",
        ),
    ),
    Planted(
        "no child is sent under a halt",
        (
            "INSERT INTO controls (scope, name, halted, changed_at)"
            " VALUES ('symbol', 'ACME', true, clock_timestamp() - interval '1 hour')",
        ),
    ),
    Planted(
        "an account's children are sent by one owner after the other",
        (
            "UPDATE leases SET epoch = 2",
            f"UPDATE children SET epoch = 2 WHERE order_id = {FILLED_ORDER} AND number = 1",
        ),
    ),
    Planted(
        "an account's children are sent by one owner after the other",
        (f"UPDATE children SET epoch = 9 WHERE id = {OPEN_CHILD}",),
    ),
)

STATE = (
    Planted(
        "every status is one there is",
        (
            *_drop("children", "ck_children_status"),
            f"UPDATE children SET status = 'lost' WHERE id = {OPEN_CHILD}",
        ),
    ),
    Planted(
        "a child's status fits what is filled of it",
        (f"UPDATE children SET status = 'canceled' WHERE id = {FILLED_CHILD}",),
    ),
    Planted(
        "an order that is over has no open child, and says when it ended",
        (f"UPDATE children SET status = 'working' WHERE {CHILD_OF_TWAP}",),
    ),
    Planted(
        "an order that is over has no open child, and says when it ended",
        (f"UPDATE orders SET finished_at = NULL WHERE id = {FILLED_ORDER}",),
    ),
)


def _event(change: str, kind: str, order: str = FILLED_ORDER) -> tuple[str, ...]:
    return (
        f"UPDATE events SET {change} WHERE id = (SELECT min(id) FROM events WHERE type = '{kind}'"
        f" AND order_id = {order})",
    )


EVENTS = (
    Planted(
        "events are numbered from 1 without a gap",
        (f"DELETE FROM events WHERE order_id = {FILLED_ORDER} AND seq = 4",),
    ),
    Planted(
        "events are numbered from 1 without a gap",
        (f"UPDATE orders SET seq = seq + 1 WHERE id = {OPEN_ORDER}",),
    ),
    Planted(
        "only legal moves, and nothing booked twice",
        _event("type = 'order.scheduled'", "order.filled"),
    ),
    Planted(
        "only legal moves, and nothing booked twice",
        _event(
            "data = jsonb_set(data, '{execution_id}', (SELECT e.data -> 'execution_id' FROM events"
            " e WHERE e.type = 'fill.booked' AND e.order_id = events.order_id"
            " ORDER BY e.id DESC LIMIT 1))",
            "fill.booked",
        ),
    ),
    Planted(
        "every event's sums follow from the events before it",
        _event("data = jsonb_set(data, '{order,unsent}', '\"0.5\"')", "child.intended"),
    ),
    Planted(
        "every event's sums follow from the events before it",
        _event("data = jsonb_set(data, '{order,status}', '\"paused\"')", "child.sent"),
    ),
    Planted(
        "the last event says what the order's row says",
        (f"UPDATE orders SET excess = 1, canceled = canceled + 1 WHERE id = {CANCELED_ORDER}",),
    ),
    Planted(
        "children are what their events made them",
        (f"UPDATE children SET qty = qty + 1 WHERE id = {OPEN_CHILD}",),
    ),
    Planted(
        "the fills told are the fills booked",
        (f"UPDATE fills SET fee = fee + 0.01 WHERE execution_id = {ANY_FILL}",),
    ),
    Planted(
        "nothing is sent after a cancel, while paused, or into an excess",
        (
            # The pause of the resting order, told just before its first child was intended.
            "UPDATE events SET seq = -1 WHERE type = 'order.pause_requested'",
            "UPDATE events e SET seq = 1000 + seq WHERE seq >= 3 AND"
            " order_id = (SELECT order_id FROM events WHERE seq = -1)",
            "UPDATE events SET seq = 3 WHERE seq = -1",
        ),
    ),
)


def _venue(statement: str) -> tuple[str, ...]:
    tables = ("orders", "executions", "outcomes")
    return (
        "PRAGMA foreign_keys = OFF",
        *(f"DROP TRIGGER {table}_never_updated" for table in tables),
        *(f"DROP TRIGGER {table}_never_deleted" for table in tables),
        statement,
    )


EXECUTION_COLUMNS = "order_number, qty, price, fee, liquidity, at, shown_at"

VENUE = (
    Planted(
        "every order at the venue is a child of ours",
        ledger=(
            "INSERT INTO orders SELECT number + 1000, 'sl00000000000-1', 'P-9', symbol, side, qty,"
            " limit_price, time_in_force, received_at, arrives_at, expires_at FROM orders LIMIT 1",
        ),
    ),
    Planted(
        "every order at the venue is a child of ours",
        ledger=_venue("UPDATE orders SET qty = '999999' WHERE number = 1"),
    ),
    Planted(
        "every child was sent at most once",
        ledger=("INSERT INTO repeats SELECT 5000, client_id, received_at FROM orders LIMIT 1",),
    ),
    Planted(
        "the intent was recorded before the venue had the order",
        ledger=_venue("UPDATE orders SET received_at = received_at - 1 WHERE number = 1"),
    ),
    Planted(
        "no execution at the venue is missing in the fills",
        ledger=(
            f"INSERT INTO executions (seq, execution_id, {EXECUTION_COLUMNS})"
            f" SELECT 5000, 'E-5000', {EXECUTION_COLUMNS} FROM executions LIMIT 1",
        ),
    ),
    Planted(
        "every fill is an execution at the venue, the same in all",
        ledger=_venue("DELETE FROM executions WHERE seq = (SELECT min(seq) FROM executions)"),
    ),
    Planted(
        "every fill is an execution at the venue, the same in all",
        ledger=_venue(
            "UPDATE executions SET price = '1' WHERE execution_id ="
            " (SELECT min(execution_id) FROM executions)"
        ),
    ),
    Planted(
        "children end as they ended at the venue",
        ledger=_venue("UPDATE outcomes SET status = 'expired' WHERE status = 'canceled'"),
    ),
)

ALL = (*QUANTITIES, *IDENTITY, *SENDING, *STATE, *EVENTS, *VENUE)
