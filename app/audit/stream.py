"""What subscribers are told, in the order they are told it: by transaction, then by id."""

from app.audit.rule import Rule

RULES = (
    Rule(
        "subscribers get an order's events in the order of their numbers",
        "I21",
        "events WHERE order_id IS NOT NULL",
        """
        SELECT account || '/' || order_id || ' #' || seq, format('read at %s-%s, the one before it'
            ' at %s-%s', xid, id, xid_before, id_before)
        FROM (SELECT account, order_id, seq, xid, id, lag(xid) OVER told AS xid_before,
                lag(id) OVER told AS id_before
              FROM events WHERE order_id IS NOT NULL
              WINDOW told AS (PARTITION BY account, order_id ORDER BY seq)) numbered
        WHERE (xid, id) <= (xid_before, id_before)""",
    ),
)
