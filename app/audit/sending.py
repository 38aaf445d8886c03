"""When and at what price children may be sent, and by whom."""

from app.audit.rule import Rule

# Which limit was in force is told by the order's own sequence: market time may stand still. The
# one before the first amendment is in no row any more, so those children are not judged.
_LIMITS = """
    SELECT c.*, o.limit_price AS last_limit, i.seq AS intended_seq,
        (SELECT a.data ->> 'limit_price' FROM events a
         WHERE a.account = c.account AND a.order_id = c.order_id AND a.type = 'order.amended'
            AND a.data ->> 'limit_price' IS NOT NULL AND a.seq < i.seq
         ORDER BY a.seq DESC LIMIT 1)::numeric AS amended_limit,
        EXISTS (SELECT 1 FROM events a
         WHERE a.account = c.account AND a.order_id = c.order_id AND a.type = 'order.amended'
            AND a.data ->> 'limit_price' IS NOT NULL AND a.seq > i.seq) AS amended_later
    FROM children c
    JOIN orders o ON o.account = c.account AND o.id = c.order_id
    LEFT JOIN events i ON i.account = c.account AND i.order_id = c.order_id
        AND i.type = 'child.intended' AND i.data ->> 'child_id' = c.id
    WHERE o.limit_price IS NOT NULL"""

RULES = (
    Rule(
        "no child is priced worse than its order's limit",
        "I9",
        "children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        " AND o.limit_price IS NOT NULL",
        f"""
        SELECT account || '/' || id, format('%s at %s, the limit is %s', side, price, in_force)
        FROM (SELECT *, coalesce(amended_limit, CASE WHEN NOT amended_later THEN last_limit END)
                AS in_force FROM ({_LIMITS}) limits) judged
        WHERE (side = 'buy' AND price > in_force) OR (side = 'sell' AND price < in_force)""",
    ),
    Rule(
        "no child is sent before the start, from the end on, or outside the session",
        "I12",
        "children",
        """
        SELECT c.account || '/' || c.id, format('intended at %s; window %s to %s, session %s to'
            ' %s', c.intended_at, o.start_at, o.end_at, o.session_opens_at, o.session_closes_at)
        FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE c.intended_at < o.start_at OR c.intended_at >= o.end_at
            OR c.intended_at < o.session_opens_at OR c.intended_at >= o.session_closes_at""",
    ),
    Rule(
        "no child is decided on a quote of the future",
        "I12",
        "children",
        """
        SELECT c.account || '/' || c.id, format('intended at %s on a quote of %s', c.intended_at,
            c.quote_at)
        FROM children c WHERE c.quote_at > c.intended_at""",
    ),
    Rule(
        "no child is sent under a halt that still holds",
        "I13",
        "controls WHERE halted",
        """
        SELECT c.account || '/' || c.id, format('intended %s, halted (%s %s) since %s',
            c.created_at, h.scope, h.name, h.changed_at)
        FROM controls h
        JOIN children c ON c.created_at > h.changed_at
        JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE h.halted AND (h.scope = 'all' OR (h.scope = 'account' AND h.name = o.account)
            OR (h.scope = 'strategy' AND h.name = o.strategy)
            OR (h.scope = 'symbol' AND h.name = o.symbol))""",
    ),
    Rule(
        "an account's children are sent by one owner after the other",
        "I23",
        "children",
        """
        SELECT account || '/' || id, format('epoch %s, an earlier child has epoch %s', epoch,
            highest)
        FROM (SELECT c.account, c.id, c.epoch, max(c.epoch) OVER (PARTITION BY o.broker, c.account
                ORDER BY e.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
              FROM children c
              JOIN orders o ON o.account = c.account AND o.id = c.order_id
              JOIN events e ON e.account = c.account AND e.order_id = c.order_id
                AND e.type = 'child.intended' AND e.data ->> 'child_id' = c.id) numbered
        WHERE epoch < highest
        UNION ALL
        SELECT c.account || '/' || c.id, format('epoch %s was never given to anybody', c.epoch)
        FROM children c
        WHERE c.epoch > (SELECT coalesce(max(l.epoch), 0) FROM leases l)""",
    ),
)
