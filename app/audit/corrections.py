"""Executions that were declared void, and those that replace them."""

from app.audit.rule import Rule

RULES = (
    Rule(
        "what the broker declared void is void in the fills, and nothing else",
        "I1 I6",
        "(SELECT 1 FROM busts UNION ALL SELECT 1 FROM fills WHERE busted_at IS NOT NULL) rows_seen",
        """
        SELECT f.account || '/' || f.execution_id, format('void since %s, but it counts', b.at)
        FROM busts b JOIN fills f USING (account, broker, execution_id)
        WHERE f.busted_at IS NULL
        UNION ALL
        SELECT f.account || '/' || f.execution_id, format('void since %s, nobody said so',
            f.busted_at)
        FROM fills f WHERE f.busted_at IS NOT NULL
            AND NOT EXISTS (SELECT FROM busts b
                WHERE (b.account, b.broker, b.execution_id)
                    = (f.account, f.broker, f.execution_id))
            AND NOT EXISTS (SELECT FROM fills c WHERE c.corrects = f.execution_id
                AND (c.account, c.broker) = (f.account, f.broker))""",
    ),
    Rule(
        "a correction replaces an execution that is void",
        "I6",
        "fills WHERE corrects IS NOT NULL",
        """
        SELECT c.account || '/' || c.execution_id, format('it replaces %s, which %s', c.corrects,
            CASE WHEN o.execution_id IS NULL THEN 'nobody knows'
                WHEN o.busted_at IS NULL THEN 'still counts'
                ELSE format('was of child %s, not %s', o.child_id, c.child_id) END)
        FROM fills c LEFT JOIN fills o ON (o.account, o.broker, o.execution_id)
            = (c.account, c.broker, c.corrects)
        WHERE c.corrects IS NOT NULL
            AND (o.busted_at IS NULL OR o.child_id <> c.child_id)
            AND NOT (o.execution_id IS NULL AND EXISTS (SELECT FROM busts b
                WHERE (b.account, b.broker, b.execution_id)
                    = (c.account, c.broker, c.corrects)))""",
    ),
)
