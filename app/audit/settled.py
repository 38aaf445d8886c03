"""A house at rest: nothing is open any more but what waits for an operator."""

from app.audit.rule import DONE, Rule

RULES = (
    Rule(
        "at rest, every order is over or needs an operator",
        "I28",
        "orders",
        f"""
        SELECT account || '/' || id, status FROM orders
        WHERE status NOT IN {DONE} AND status <> 'needs_operator'""",
    ),
    Rule(
        "at rest, no child is open but under an order that needs an operator",
        "I25 I29",
        "children",
        f"""
        SELECT c.account || '/' || c.id, format('%s, its order is %s', c.status, o.status)
        FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE c.status NOT IN {DONE} AND o.status <> 'needs_operator'""",
    ),
)
