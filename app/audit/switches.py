"""Kill switches: nothing new under one, and what is open is canceled where it asks for that.

A switch waits for the intents before it, and reads its moment only then; intents wait for a
switch. So a child that was written while a switch was in force was written under it.
"""

from app.audit.rule import DONE, Rule, bound

# Those that close positions pass every halt, while a switch that flattens bears on them.
_PASSES = """(o.role = 'flatten' AND EXISTS (SELECT FROM {force} f WHERE f.level = 'flatten'
            AND c.created_at > f.since AND c.created_at < f.until
            AND (f.scope = 'all' OR (f.scope = 'account' AND f.name = o.account)
                OR (f.scope = 'strategy' AND f.name = o.strategy)
                OR (f.scope = 'symbol' AND f.name = o.symbol))))"""

_BEARS = """(h.scope = 'all' OR (h.scope = 'account' AND h.name = o.account)
            OR (h.scope = 'strategy' AND h.name = o.strategy)
            OR (h.scope = 'symbol' AND h.name = o.symbol))"""

_STANDING = """(SELECT scope, name, level, changed_at AS since, 'infinity'::timestamptz AS until
            FROM controls WHERE halted)"""
# Where every change is kept, those that were taken back count as well.
_LOGGED = """(SELECT scope, name, level, since, until FROM (SELECT scope, name, level, halted,
                changed_at AS since, coalesce(lead(changed_at) OVER
                (PARTITION BY scope, name ORDER BY version), 'infinity') AS until
            FROM control_log) changes WHERE halted)"""

# The row of `all` counts the changes of every switch; the others bear the number of their own.
_LOG = (
    Rule(
        "a switch stands as its last change left it, and every change has a name",
        "I16",
        "controls",
        """
        SELECT c.scope || ':' || c.name, format('%s %s, change %s; the log says %s %s, change %s',
            CASE WHEN c.halted THEN 'thrown' ELSE 'released' END, c.level, c.version,
            CASE WHEN l.halted THEN 'thrown' ELSE 'released' END, l.level, l.version)
        FROM controls c LEFT JOIN LATERAL (SELECT halted, level, version FROM control_log
            WHERE (scope, name) = (c.scope, c.name) ORDER BY version DESC LIMIT 1) l ON true
        WHERE (c.halted, c.level) IS DISTINCT FROM (coalesce(l.halted, false),
                coalesce(l.level, 'halt'))
            OR c.version <> CASE c.scope WHEN 'all' THEN
                (SELECT coalesce(max(version), 0) FROM control_log) ELSE coalesce(l.version, 0) END
        UNION ALL
        SELECT scope || ':' || name, format('change %s is nobody''s', version)
        FROM control_log WHERE coalesce(changed_by, '') = ''""",
    ),
    Rule(
        "the log of switches is numbered from 1 without a gap, and is only ever added to",
        "I22",
        "control_log",
        """
        SELECT format('change %s', version), format('it stands at place %s', place)
        FROM (SELECT version, row_number() OVER (ORDER BY version) AS place FROM control_log) l
        WHERE version <> place
        UNION ALL
        SELECT 'control_log', 'the trigger that refuses to change its rows is gone or off'
        WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'control_log'::regclass
            AND tgname = 'only_added' AND tgenabled IN ('O', 'A'))""",
    ),
)


def rules(*, logged: bool) -> tuple[Rule, ...]:
    """`logged`: the database keeps every change of a switch, in `control_log`."""
    force = f"({_STANDING} UNION {_LOGGED})" if logged else _STANDING
    return (
        *(_LOG if logged else ()),
        Rule(
            "no child is sent under a halt",
            "I13 I16",
            f"{force} h",
            f"""
        SELECT c.account || '/' || c.id, format('intended %s, halted (%s %s) %s to %s',
            c.created_at, h.scope, h.name, h.since, h.until)
        FROM {force} h
        JOIN children c ON c.created_at > h.since AND c.created_at < h.until AND NOT c.adopted
        JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE {_BEARS} AND NOT {_PASSES.format(force=force)}
            AND NOT (h.level = 'close_only' AND o.reduce_only)""",
        ),
        Rule(
            "what is open under a switch that cancels has a cancel request",
            "I14",
            "controls WHERE halted AND level IN ('cancel', 'flatten')",
            f"""
        SELECT c.account || '/' || c.id, format('%s, without a cancel (%s %s since %s)', c.status,
            h.scope, h.name, h.changed_at)
        FROM controls h
        JOIN children c ON c.status NOT IN {DONE} AND c.cancel_requested_at IS NULL
        JOIN orders o ON o.account = c.account AND o.id = c.order_id
        WHERE h.halted AND h.level IN ('cancel', 'flatten') AND o.role <> 'flatten' AND {_BEARS}
            AND greatest(h.changed_at, c.updated_at) < clock_timestamp() - {bound("cancels")}
            AND NOT (c.status = 'unknown' AND c.reason IS NOT NULL)""",
        ),
    )
