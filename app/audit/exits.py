"""Brackets: what exits take away never passes what their entry filled, and they only reduce.

An execution of the entry that was declared void after its exits had filled leaves them above it:
those are counted as if it had not been.
"""

from app.audit.rule import DONE, Rule

RULES = (
    Rule(
        "exits fill no more than their entry did",
        "I3",
        "orders WHERE role = 'entry'",
        """
        SELECT e.account || '/' || e.id, format('filled %s, of which %s were void; its exits'
            ' filled %s and reserve %s', e.filled, void.qty, x.filled, x.reserved)
        FROM orders e
        JOIN LATERAL (SELECT sum(filled) AS filled, sum(working + unknown) AS reserved,
                sum(excess) AS excess FROM orders
            WHERE account = e.account AND group_id = e.group_id AND role = 'exit') x
            ON x.filled IS NOT NULL
        CROSS JOIN LATERAL (SELECT coalesce(sum(qty), 0) AS qty FROM fills
            WHERE account = e.account AND order_id = e.id AND busted_at IS NOT NULL) void
        WHERE e.role = 'entry' AND x.filled + x.reserved > e.filled + void.qty + x.excess""",
    ),
    Rule(
        "an exit only reduces, on the other side of its entry, beside no other open one",
        "I3",
        "orders WHERE role = 'exit'",
        f"""
        SELECT o.account || '/' || o.id, format('%s, reduce_only is %s, the entry is a %s; %s are'
            ' open in its group', o.side, o.reduce_only, e.side, open.n)
        FROM orders o
        LEFT JOIN orders e ON e.account = o.account AND e.id = o.group_id
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM orders WHERE account = o.account
            AND group_id = o.group_id AND role = 'exit' AND status NOT IN {DONE}) open
        WHERE o.role = 'exit'
            AND (NOT o.reduce_only OR e.side = o.side OR e.symbol <> o.symbol OR open.n > 1)""",
    ),
)
