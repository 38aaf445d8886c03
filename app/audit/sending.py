"""When and at what price children may be sent, how many, and by whom."""

from app.audit.rule import Rule
from app.audit.terms import amended, in_force

RULES = (
    Rule(
        "no child is priced worse than its order's limit",
        "I9",
        "children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        " AND o.limit_price IS NOT NULL",
        f"""
        WITH {amended("limit_price")}
        SELECT account || '/' || id, format('%s at %s, the limit is %s', side, price, in_force)
        FROM ({in_force("limit_price")}) judged
        WHERE (side = 'buy' AND price > in_force) OR (side = 'sell' AND price < in_force)""",
    ),
    Rule(
        "no child is priced outside the collar around the last trade",
        "I9",
        "children WHERE why ->> 'last' IS NOT NULL AND NOT adopted",
        """
        WITH sent AS (SELECT c.*, (c.why ->> 'last')::numeric AS last, o.collar
            FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
            WHERE c.why ->> 'last' IS NOT NULL AND NOT c.adopted)
        SELECT account || '/' || id, format('%s at %s, the last trade, or its stop, was at %s, the'
            ' collar %s', side, price, last, collar)
        FROM (SELECT account, id, side, price, last, collar FROM sent
              WHERE stop_price IS NULL OR stop_limit_price IS NOT NULL
              UNION ALL SELECT account, id, side, coalesce(stop_limit_price, price), stop_price,
                  collar FROM sent WHERE stop_price IS NOT NULL) priced
        WHERE last > 0 AND ((side = 'buy' AND price > last * (1 + collar))
            OR (side = 'sell' AND price < last * (1 - collar)))""",
    ),
    Rule(
        "participation stays under its cap, by what each decision saw",
        "I10",
        "children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        " AND o.max_participation < 1",
        f"""
        WITH {amended("max_participation")},
        decided AS (
            SELECT account, order_id, symbol, min(id) AS id, max(in_force) AS cap, sum(qty)
                + max((why ->> 'filled')::numeric + (why ->> 'working')::numeric
                + (why ->> 'unknown')::numeric) AS own,
                max((why ->> 'market_volume')::numeric) AS market
            FROM ({in_force("max_participation")}) judged
            WHERE in_force < 1 AND why ->> 'market_volume' IS NOT NULL
            GROUP BY account, order_id, symbol, why ->> 'version')
        SELECT account || '/' || id, format('with it %s of our own, %s of others, the cap is %s',
            own, market, cap)
        FROM decided JOIN instruments USING (symbol)
        WHERE own > cap * (market + own) + lot""",
    ),
    Rule(
        "no child is larger than its order allows",
        "I15",
        "children c JOIN orders o ON o.account = c.account AND o.id = c.order_id"
        " AND o.params ->> 'max_child' IS NOT NULL",
        """
        SELECT c.account || '/' || c.id, format('%s, max_child is %s', c.qty,
            o.params ->> 'max_child')
        FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE NOT c.adopted AND c.qty > (o.params ->> 'max_child')::numeric
            AND NOT EXISTS (SELECT FROM events e WHERE (e.account, e.order_id)
                = (o.account, o.id) AND e.type = 'order.amended' AND e.data ? 'params')""",
    ),
    Rule(
        "no child is sent before the start, from the end on, or outside the session",
        "I12",
        "children WHERE NOT adopted",
        """
        SELECT c.account || '/' || c.id, format('intended at %s; window %s to %s, session %s to'
            ' %s', c.intended_at, o.start_at, o.end_at, o.session_opens_at, o.session_closes_at)
        FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE NOT c.adopted AND (c.intended_at < o.start_at OR c.intended_at >= o.end_at
            OR c.intended_at < o.session_opens_at OR c.intended_at >= o.session_closes_at)""",
    ),
    Rule(
        "no child is decided on a quote of the future, or on one too old",
        "I12",
        "children WHERE NOT adopted",
        """
        SELECT c.account || '/' || c.id, format('intended at %s on a quote of %s', c.intended_at,
            c.quote_at)
        FROM children c WHERE c.quote_at > c.intended_at
        UNION ALL
        SELECT account || '/' || id, format('intended at %s on a quote of %s, it may be %s us old',
            intended_at, shown_at, max_quote_age_us)
        FROM (SELECT c.account, c.id, c.intended_at, o.max_quote_age_us, greatest(
                (c.why -> 'quote' ->> 'bid_at')::timestamptz,
                (c.why -> 'quote' ->> 'ask_at')::timestamptz) AS shown_at
              FROM children c JOIN orders o ON o.account = c.account AND o.id = c.order_id
              WHERE NOT c.adopted AND c.why -> 'quote' IS NOT NULL) quoted
        WHERE intended_at - shown_at > max_quote_age_us * interval '1 microsecond'""",
    ),
    Rule(
        "an account's children are sent by one owner after the other",
        "I23",
        "children WHERE NOT adopted",
        """
        SELECT account || '/' || id, format('epoch %s, an earlier child has epoch %s', epoch,
            highest)
        FROM (SELECT c.account, c.id, c.epoch, max(c.epoch) OVER (PARTITION BY o.broker, c.account
                ORDER BY e.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
              FROM children c
              JOIN orders o ON o.account = c.account AND o.id = c.order_id
              JOIN events e ON e.account = c.account AND e.order_id = c.order_id
                AND e.type = 'child.intended' AND e.data ->> 'child_id' = c.id
              WHERE NOT c.adopted) numbered
        WHERE epoch < highest
        UNION ALL
        SELECT account || '/' || id, format('number %s has epoch %s, one before it %s', number,
            epoch, highest)
        FROM (SELECT account, id, number, epoch, max(epoch) OVER (PARTITION BY account, order_id
                ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest
              FROM children WHERE NOT adopted) numbered
        WHERE epoch < highest
        UNION ALL
        SELECT c.account || '/' || c.id, format('epoch %s was never given to anybody', c.epoch)
        FROM children c
        WHERE NOT c.adopted AND c.epoch > (SELECT coalesce(max(l.epoch), 0) FROM leases l)""",
    ),
)
