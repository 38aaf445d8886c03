"""Identity: everything has one name, and every name that is used stands for something."""

from app.audit.rule import Rule


def _once(name: str, invariants: str, table: str, key: str, condition: str = "true") -> Rule:
    return Rule(
        name,
        invariants,
        f"{table} WHERE {condition}",
        f"""
        SELECT concat_ws('/', {key}), format('%s rows', count(*))
        FROM {table} WHERE {condition} GROUP BY {key} HAVING count(*) > 1""",
    )


RULES = (
    _once("an execution is booked once", "I6", "fills", "broker, account, execution_id"),
    _once("a client order id stands for one order", "I7", "orders", "account, client_order_id"),
    _once("a child id stands for one child", "I7", "children", "id"),
    _once("a child number is used once", "I7", "children", "account, order_id, number"),
    Rule(
        "an order's chance is seeded by its own id, or by the seed it asked for",
        "I27",
        "orders",
        """
        SELECT account || '/' || id, format('the seed is %s', seed) FROM orders
        WHERE seed <> coalesce(params ->> 'seed', id::text)""",
    ),
    Rule(
        "a child's id is made of its order's key",
        "I7",
        "children",
        """
        SELECT c.account || '/' || c.id, format('the key of order %s is %s', o.id, o.key)
        FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE split_part(c.id, '-', 1) <> 'sl' || o.key""",
    ),
    Rule(
        "children and fills belong to their order",
        "I1 I6",
        "(SELECT 1 FROM children UNION ALL SELECT 1 FROM fills) rows_seen",
        """
        SELECT c.account || '/' || c.id, format('%s %s of order %s, which is %s %s', c.side,
            c.symbol, c.order_id, coalesce(o.side, 'not there'), o.symbol)
        FROM children c LEFT JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE (c.side, c.symbol) IS DISTINCT FROM (o.side, o.symbol)
        UNION ALL
        SELECT f.account || '/' || f.execution_id, format('%s %s for child %s of order %s, which'
            ' is %s %s of order %s', f.side, f.symbol, f.child_id, f.order_id,
            coalesce(c.side, 'not there'), c.symbol, c.order_id)
        FROM fills f LEFT JOIN children c ON c.account = f.account AND c.id = f.child_id
        WHERE (f.side, f.symbol, f.order_id) IS DISTINCT FROM (c.side, c.symbol, c.order_id)""",
    ),
    Rule(
        "alerts, signals, keys and orders name each other",
        "I7",
        "(SELECT 1 FROM alerts WHERE order_id IS NOT NULL UNION ALL SELECT 1 FROM signals"
        " UNION ALL SELECT 1 FROM idempotency UNION ALL"
        " SELECT 1 FROM orders WHERE signal_id IS NOT NULL) rows_seen",
        """
        SELECT 'alert ' || a.id, format('there is no order %s', a.order_id)
        FROM alerts a WHERE a.order_id IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM orders o WHERE o.account = a.account AND o.id = a.order_id)
        UNION ALL
        SELECT 'signal ' || s.id, format('%s, its order: %s', s.decision,
            coalesce(s.order_id::text, 'none'))
        FROM signals s LEFT JOIN orders o ON o.account = s.account AND o.id = s.order_id
        WHERE (s.decision = 'execute' AND s.mode IS DISTINCT FROM 'shadow'
            AND o.signal_id IS DISTINCT FROM s.id)
            OR (s.mode = 'shadow' AND s.order_id IS NOT NULL)
            OR (s.order_id IS NOT NULL AND o.id IS NULL)
        UNION ALL
        SELECT 'key ' || k.key, format('there is no order %s', k.order_id)
        FROM idempotency k WHERE NOT EXISTS
            (SELECT 1 FROM orders o WHERE o.account = k.account AND o.id = k.order_id)
        UNION ALL
        SELECT 'order ' || o.id, format('signal %s does not name it', o.signal_id)
        FROM orders o LEFT JOIN signals s ON s.account = o.account AND s.id = o.signal_id
        WHERE o.signal_id IS NOT NULL AND s.order_id IS DISTINCT FROM o.id""",
    ),
)
