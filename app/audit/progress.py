"""Liveness: everything comes to an end, or somebody is told.

Measured against the last sign of life of the house, so that a house at rest is not accused.
"""

from app.audit.rule import DONE, Rule, bound

RULES = (
    Rule(
        "an order past its end is over, or needs an operator",
        "I28",
        "orders",
        f"""
        SELECT o.account || '/' || o.id, format('%s at %s, its end was %s', o.status, m.now,
            o.end_at)
        FROM orders o, market_clock m
        WHERE o.status NOT IN {DONE} AND o.status <> 'needs_operator'
            AND o.end_at + {bound("overdue")} < m.now""",
    ),
    Rule(
        "what is unknown for long has an open alert",
        "I29",
        "children WHERE status = 'unknown'",
        f"""
        SELECT c.account || '/' || c.id, format('unknown since %s, nobody was told', c.updated_at)
        FROM children c, market_clock m
        WHERE c.status = 'unknown' AND c.updated_at + {bound("unknown")} < m.told_at
            AND NOT EXISTS (SELECT FROM alerts a WHERE a.acknowledged_at IS NULL
                AND a.account = c.account AND a.rule <> 'excessive_slippage'
                AND (a.order_id = c.order_id OR a.subject = c.id))""",
    ),
    Rule(
        "a desk with open orders has an owner while a worker lives",
        "I30",
        f"(SELECT DISTINCT broker, account FROM orders WHERE status NOT IN {DONE}) desks",
        f"""
        SELECT d.broker || '/' || d.account, format('%s open orders, nobody''s since %s', d.n,
            l.held_to::text)
        FROM (SELECT broker, account, count(*) AS n, min(created_at) AS since FROM orders
              WHERE status NOT IN {DONE} GROUP BY 1, 2) d
        LEFT JOIN LATERAL (SELECT max(coalesce(until, free_since)) AS held_to
            FROM leases WHERE name IN ('desk:' || d.account,
                'desk:' || d.broker || ':' || d.account)) l ON true
        WHERE EXISTS (SELECT FROM leases alive WHERE alive.until > clock_timestamp())
            AND greatest(l.held_to, d.since)
                < clock_timestamp() - {bound("unowned")}""",
    ),
)
