"""Kill switches: nothing new under one, and what is open is canceled where it asks for that.

A switch waits for the intents before it, and reads its moment only then; intents wait for a
switch. So a child that was written while a switch was in force was written under it.
"""

from app.audit.rule import DONE, Rule, bound

_BEARS = """(h.scope = 'all' OR (h.scope = 'account' AND h.name = o.account)
            OR (h.scope = 'strategy' AND h.name = o.strategy)
            OR (h.scope = 'symbol' AND h.name = o.symbol))"""

_STANDING = """(SELECT scope, name, changed_at AS since, 'infinity'::timestamptz AS until
            FROM controls WHERE halted)"""
# Where every change is kept, those that were taken back count as well.
_LOGGED = """(SELECT scope, name, since, until FROM (SELECT scope, name, halted,
                changed_at AS since, coalesce(lead(changed_at) OVER
                (PARTITION BY scope, name ORDER BY version), 'infinity') AS until
            FROM control_log) changes WHERE halted)"""


def rules(*, logged: bool) -> tuple[Rule, ...]:
    """`logged`: the database keeps every change of a switch, in `control_log`."""
    force = f"({_STANDING} UNION {_LOGGED})" if logged else _STANDING
    return (
        Rule(
            "no child is sent under a halt",
            "I13",
            f"{force} h",
            f"""
        SELECT c.account || '/' || c.id, format('intended %s, halted (%s %s) %s to %s',
            c.created_at, h.scope, h.name, h.since, h.until)
        FROM {force} h
        JOIN children c ON c.created_at > h.since AND c.created_at < h.until AND NOT c.adopted
        JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE {_BEARS}""",
        ),
        Rule(
            "what is open under a switch that cancels has a cancel request",
            "I14",
            "controls WHERE halted AND level = 'cancel'",
            f"""
        SELECT c.account || '/' || c.id, format('%s, without a cancel (%s %s since %s)', c.status,
            h.scope, h.name, h.changed_at)
        FROM controls h
        JOIN children c ON c.status NOT IN {DONE} AND c.cancel_requested_at IS NULL
        JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE h.halted AND h.level = 'cancel' AND {_BEARS}
            AND greatest(h.changed_at, c.updated_at) < clock_timestamp() - {bound("cancels")}
            AND NOT (c.status = 'unknown' AND c.reason IS NOT NULL)""",
        ),
    )
