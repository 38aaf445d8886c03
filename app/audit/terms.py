"""What was in force of an order when each of its children was intended.

Told by the order's own sequence, since market time may stand still. What stood before the first
amendment is in no row any more: those children are not judged.
"""


def in_force(field: str) -> str:
    """SQL: `children` with `in_force`, the order's `field` at the intent; null where unknown.

    Adopted children are left out: they were intended in a history that is lost.
    """
    return f"""
        SELECT c.*, o.{field} AS in_force
        FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE NOT c.adopted AND NOT EXISTS (SELECT FROM amended a
            WHERE (a.account, a.order_id) = (c.account, c.order_id))
        UNION ALL
        SELECT c.*, (SELECT a.value FROM amended a
            WHERE (a.account, a.order_id) = (c.account, c.order_id) AND a.seq < i.seq
            ORDER BY a.seq DESC LIMIT 1)
        FROM (SELECT DISTINCT account, order_id FROM amended) touched
        JOIN children c USING (account, order_id)
        JOIN events i ON i.account = c.account AND i.order_id = c.order_id
            AND i.type = 'child.intended' AND i.data ->> 'child_id' = c.id
        WHERE NOT c.adopted"""


def amended(field: str) -> str:
    """SQL: the common table expression that `in_force` reads."""
    return f"""amended AS MATERIALIZED (
            SELECT account, order_id, seq, (data ->> '{field}')::numeric AS value FROM events
            WHERE type = 'order.amended' AND data ->> '{field}' IS NOT NULL)"""
