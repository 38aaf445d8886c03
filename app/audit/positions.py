"""Positions are a ledger of fills that are not void, those of removed orders carried forward.

Quantity and fees are checked exactly. By average cost, `realised` is the cash of all fills plus
the value of what is held at its average, in whatever order the fills were booked
or declared void; averages do
not end and are stored with twelve decimals, so that sum has a tolerance.
"""

from app.audit.rule import Rule

_PER_ROW = "1e-11"

RULES = (
    Rule(
        "a position is the sum of its fills",
        "I5",
        "positions",
        f"""
        SELECT account || '/' || symbol, format('qty %s, fees %s, realised %s; its fills give %s,'
            ' %s, %s', p.qty, p.fees, p.realised, f.qty, f.fees,
            f.cash + coalesce(p.qty * p.average_price, 0))
        FROM (SELECT account, symbol, sum(qty) AS qty, sum(fees) AS fees, sum(cash) AS cash,
                sum(n) AS n, sum(turned) AS turned
              FROM (SELECT account, symbol,
                CASE side WHEN 'buy' THEN counted ELSE -counted END AS qty,
                CASE WHEN busted_at IS NULL THEN fee ELSE 0 END AS fees,
                CASE side WHEN 'buy' THEN -counted ELSE counted END * price AS cash,
                2 AS n, qty * 2 AS turned
                FROM (SELECT *, CASE WHEN busted_at IS NULL THEN qty ELSE 0 END AS counted
                      FROM fills) net
                UNION ALL SELECT account, symbol, qty, fees, cash, fills * 2, turned * 2
                FROM archived_positions) kept GROUP BY 1, 2) f
        FULL JOIN positions p USING (account, symbol)
        WHERE p.qty IS DISTINCT FROM coalesce(f.qty, 0) OR p.fees <> coalesce(f.fees, 0)
            OR (p.qty = 0 AND p.average_price <> 0)
            OR abs(p.realised - coalesce(f.cash, 0) - p.qty * p.average_price)
                > {_PER_ROW} * (coalesce(f.n, 0) + coalesce(f.turned, 0))""",
    ),
)
