"""Statuses: only those there are, and nothing open under what is over."""

from app.audit.legal import CHILD_DONE, CHILD_OPEN, ORDER_DONE, ORDER_OPEN
from app.audit.rule import DONE, Rule


def _words(*groups: frozenset[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(frozenset().union(*groups)))


RULES = (
    Rule(
        "every status is one there is",
        "I17",
        "(SELECT 1 FROM orders UNION ALL SELECT 1 FROM children) rows_seen",
        f"""
        SELECT 'order ' || account || '/' || id, status FROM orders
        WHERE status NOT IN ({_words(ORDER_OPEN, ORDER_DONE)})
        UNION ALL
        SELECT 'child ' || account || '/' || id, status FROM children
        WHERE status NOT IN ({_words(CHILD_OPEN, CHILD_DONE)})""",
    ),
    Rule(
        "a child's status fits what is filled of it",
        "I17",
        "children",
        """
        SELECT account || '/' || id, format('%s with %s of %s filled', status, filled, qty)
        FROM children c
        WHERE (status = 'filled') <> (filled >= qty)
            OR (status IN ('intent', 'sent', 'working') AND filled <> 0)
            OR (status = 'partially_filled' AND filled = 0 AND NOT EXISTS
                (SELECT FROM fills f WHERE f.account = c.account AND f.child_id = c.id
                 AND f.busted_at IS NOT NULL))""",
    ),
    Rule(
        "an order that is over has no open child, and says when it ended",
        "I19",
        "orders",
        f"""
        SELECT 'order ' || o.account || '/' || o.id, format('%s, %s open children, finished %s',
            o.status, coalesce(c.n, 0), coalesce(o.finished_at::text, 'never'))
        FROM orders o LEFT JOIN
            (SELECT account, order_id, count(*) AS n FROM children WHERE status NOT IN {DONE}
             GROUP BY 1, 2) c ON c.account = o.account AND c.order_id = o.id
        WHERE (o.status IN {DONE} AND (coalesce(c.n, 0) > 0 OR o.finished_at IS NULL))
            OR (o.status NOT IN {DONE} AND o.finished_at IS NOT NULL)
            OR (o.status = 'filled' AND o.filled < o.qty
                AND o.filled + (SELECT coalesce(sum(f.qty), 0) FROM fills f
                    WHERE f.account = o.account AND f.order_id = o.id
                    AND f.busted_at IS NOT NULL) < o.qty)""",
    ),
    Rule(
        "an order that needs an operator, or ended unfilled, says why",
        "I28",
        "orders WHERE status NOT IN ('filled', 'accepted', 'scheduled', 'working', 'paused',"
        " 'closing')",
        """
        SELECT account || '/' || id, format('%s without a reason', status) FROM orders
        WHERE status IN ('needs_operator', 'canceled', 'expired', 'rejected')
            AND coalesce(reason, '') = ''""",
    ),
)
