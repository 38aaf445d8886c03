"""Orders that only reduce: no child may take the account's position through zero.

The position is what fills make of it, in the order in which they were booked. A child was decided
on what was booked then; of what others booked in the seconds before, it may have seen less.
"""

from app.audit.rule import Rule

SECONDS = 5

_MOVES = """
    SELECT account, symbol, '-infinity'::timestamptz AS at, 0 AS qty FROM reducing
    UNION ALL SELECT account, symbol, '-infinity', qty FROM archived_positions
    UNION ALL SELECT account, symbol, booked_at, CASE side WHEN 'buy' THEN qty ELSE -qty END
        FROM fills
    UNION ALL SELECT account, symbol, busted_at, CASE side WHEN 'buy' THEN -qty ELSE qty END
        FROM fills WHERE busted_at IS NOT NULL"""

RULES = (
    Rule(
        "an order that only reduces sends no child beyond the position",
        "I3",
        "orders WHERE reduce_only",
        f"""
        WITH reducing AS (SELECT DISTINCT account, symbol FROM orders WHERE reduce_only),
        held AS (SELECT account, symbol, at,
                sum(qty) OVER (PARTITION BY account, symbol ORDER BY at) AS qty,
                coalesce(lead(at) OVER (PARTITION BY account, symbol ORDER BY at),
                    'infinity') AS until
            FROM (SELECT m.account, m.symbol, m.at, sum(m.qty) AS qty FROM ({_MOVES}) m
                JOIN reducing USING (account, symbol) GROUP BY 1, 2, 3) moves)
        SELECT c.account || '/' || c.id, format('%s %s of %s, the account held %s', c.side, c.qty,
            c.symbol, max(CASE c.side WHEN 'sell' THEN h.qty ELSE -h.qty END))
        FROM orders o
        JOIN children c ON c.account = o.account AND c.order_id = o.id AND NOT c.adopted
        JOIN held h ON h.account = c.account AND h.symbol = c.symbol AND h.at <= c.created_at
            AND h.until >= c.created_at - make_interval(secs => {SECONDS})
        WHERE o.reduce_only
        GROUP BY c.account, c.id, c.side, c.qty, c.symbol
        HAVING c.qty > max(CASE c.side WHEN 'sell' THEN h.qty ELSE -h.qty END)""",
    ),
)
