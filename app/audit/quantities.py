"""Quantity and money: what the rows say of each other must add up, exactly.

A fill that was declared void (`busted_at`) stays in its table and counts nowhere.
"""

from app.audit.rule import DONE, Rule

_ORDER = "o.account || '/' || o.id"
_CHILD = "c.account || '/' || c.id"

RULES = (
    Rule(
        "a child's fills sum to what it says is filled",
        "I1",
        "children",
        f"""
        SELECT {_CHILD}, format('filled is %s, its fills sum to %s', c.filled, coalesce(f.qty, 0))
        FROM children c LEFT JOIN
            (SELECT account, child_id, sum(qty) AS qty FROM fills WHERE busted_at IS NULL
             GROUP BY 1, 2) f
            ON f.account = c.account AND f.child_id = c.id
        WHERE c.filled <> coalesce(f.qty, 0)""",
    ),
    Rule(
        "an order's children sum to what it says is filled",
        "I1",
        "orders",
        f"""
        SELECT {_ORDER}, format('filled is %s, its children sum to %s', o.filled,
            coalesce(c.filled, 0))
        FROM orders o LEFT JOIN
            (SELECT account, order_id, sum(filled) AS filled FROM children GROUP BY 1, 2) c
            ON c.account = o.account AND c.order_id = o.id
        WHERE o.filled <> coalesce(c.filled, 0)""",
    ),
    Rule(
        "what an order reserves is what its open children may still fill",
        "I2",
        "orders",
        f"""
        SELECT {_ORDER}, format('working %s and unknown %s, its open children have %s and %s',
            o.working, o.unknown, coalesce(c.working, 0), coalesce(c.unknown, 0))
        FROM orders o LEFT JOIN
            (SELECT account, order_id,
                sum(greatest(qty - filled, 0)) FILTER (WHERE status <> 'unknown') AS working,
                sum(greatest(qty - filled, 0)) FILTER (WHERE status = 'unknown') AS unknown
             FROM children WHERE status NOT IN {DONE} GROUP BY 1, 2) c
            ON c.account = o.account AND c.order_id = o.id
        WHERE o.working <> coalesce(c.working, 0) OR o.unknown <> coalesce(c.unknown, 0)""",
    ),
    Rule(
        "filled + working + unknown + unsent + canceled = qty + excess, none below zero",
        "I2 I4",
        "orders",
        f"""
        SELECT {_ORDER}, format('%s: qty %s, filled %s, working %s, unknown %s, canceled %s,'
            ' excess %s leave %s unsent', o.status, o.qty, o.filled, o.working, o.unknown,
            o.canceled, o.excess, left_over.unsent)
        FROM orders o, LATERAL (SELECT
            o.qty + o.excess - o.filled - o.working - o.unknown - o.canceled AS unsent) left_over
        WHERE least(o.filled, o.working, o.unknown, o.canceled, o.excess, left_over.unsent) < 0
            OR o.qty <= 0
            OR (o.status IN {DONE} AND left_over.unsent <> 0)
            OR (o.status NOT IN {DONE} AND o.canceled <> 0)""",
    ),
    Rule(
        "filled + working + unknown never exceed qty + excess",
        "I3",
        "orders",
        f"""
        SELECT {_ORDER}, format('filled %s + working %s + unknown %s exceed qty %s + excess %s',
            o.filled, o.working, o.unknown, o.qty, o.excess)
        FROM orders o WHERE o.filled + o.working + o.unknown > o.qty + o.excess""",
    ),
    Rule(
        "children and fills are positive",
        "I4",
        "(SELECT 1 FROM children UNION ALL SELECT 1 FROM fills) rows_seen",
        f"""
        SELECT {_CHILD}, format('qty %s, price %s, filled %s', c.qty, c.price, c.filled)
        FROM children c WHERE c.qty <= 0 OR c.price <= 0 OR c.filled < 0
        UNION ALL
        SELECT f.account || '/' || f.execution_id, format('qty %s, price %s', f.qty, f.price)
        FROM fills f WHERE f.qty <= 0 OR f.price <= 0""",
    ),
    Rule(
        "quantities are whole lots, prices whole ticks",
        "I4",
        "(SELECT 1 FROM orders UNION ALL SELECT 1 FROM children UNION ALL SELECT 1 FROM fills)"
        " rows_seen",
        f"""
        SELECT {_ORDER}, format('qty %s, filled %s, working %s, unknown %s, canceled %s, excess'
            ' %s: the lot is %s', o.qty, o.filled, o.working, o.unknown, o.canceled, o.excess,
            i.lot)
        FROM orders o JOIN instruments i USING (symbol)
        WHERE o.qty % i.lot <> 0 OR o.filled % i.lot <> 0 OR o.working % i.lot <> 0
            OR o.unknown % i.lot <> 0 OR o.canceled % i.lot <> 0 OR o.excess % i.lot <> 0
        UNION ALL
        SELECT {_CHILD}, format('qty %s, filled %s at %s: lot %s, tick %s', c.qty, c.filled,
            c.price, i.lot, i.tick)
        FROM children c JOIN instruments i USING (symbol)
        WHERE c.qty % i.lot <> 0 OR c.filled % i.lot <> 0 OR c.price % i.tick <> 0
        UNION ALL
        SELECT f.account || '/' || f.execution_id, format('qty %s: the lot is %s', f.qty, i.lot)
        FROM fills f JOIN instruments i USING (symbol) WHERE f.qty % i.lot <> 0""",
    ),
    Rule(
        "an order's money and fees are those of its fills",
        "I5",
        "orders",
        f"""
        SELECT {_ORDER}, format('notional %s and fees %s, its fills sum to %s and %s',
            o.filled_notional, o.fees, coalesce(f.notional, 0), coalesce(f.fees, 0))
        FROM orders o LEFT JOIN
            (SELECT account, order_id, sum(qty * price) AS notional, sum(fee) AS fees
             FROM fills WHERE busted_at IS NULL GROUP BY 1, 2) f
            ON f.account = o.account AND f.order_id = o.id
        WHERE o.filled_notional <> coalesce(f.notional, 0) OR o.fees <> coalesce(f.fees, 0)""",
    ),
)
