"""How the machine works: what happened in the last minute, five minutes, hour and day.

Windows are of machine time and end now; each is shown beside the one before it. What is counted are
the events that were recorded in it. How long orders took is market time, how long a child took
from its committed intent to the broker's answer is machine time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, Micros
from app.store.database import Connection
from app.store.rows import Row
from app.store.views.plain import Answer, moment, rounded, text

LATENCIES_MAX = 20_000
"""Of so many of the latest children the time to the broker's answer is measured."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of machine time, and the step in which its history is shown."""

    length: Micros
    step: Micros


WINDOWS: Mapping[str, Window] = {
    "1m": Window(MINUTE, 5 * SECOND),
    "5m": Window(5 * MINUTE, 15 * SECOND),
    "1h": Window(HOUR, MINUTE),
    "1d": Window(DAY, 15 * MINUTE),
}

_SEEN = """
    WITH asked AS (
        SELECT name, span, since, until
        FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
            AS w(name, span, since, until)
    ), seen AS (
        SELECT e.type, e.recorded_at, o.algo, o.broker,
            CASE WHEN e.type = 'order.filled'
                THEN extract(epoch FROM o.finished_at - greatest(o.start_at, o.accepted_at))
            END AS took
        FROM events e JOIN orders o ON o.account = e.account AND o.id = e.order_id
        WHERE e.recorded_at >= (SELECT min(since) FROM asked)
            AND ($1::text[] IS NULL OR e.account = ANY($1))
    )"""

_COUNTS = """
        count(*) FILTER (WHERE s.type = 'order.accepted') AS accepted,
        count(*) FILTER (WHERE s.type IN ('order.filled', 'order.canceled', 'order.expired',
            'order.rejected')) AS finished,
        count(*) FILTER (WHERE s.type = 'order.filled') AS filled,
        count(*) FILTER (WHERE s.type = 'child.intended') AS intended,
        count(*) FILTER (WHERE s.type = 'child.sent') AS sent,
        count(*) FILTER (WHERE s.type = 'child.rejected') AS refused,
        count(*) FILTER (WHERE s.type = 'child.unknown') AS unknown,
        count(*) FILTER (WHERE s.type = 'fill.booked') AS fills"""

_WINDOWED = f"""{_SEEN}
    SELECT a.name, a.span, a.since, a.until, grouping(s.algo) AS all_algos,
        grouping(s.broker) AS all_brokers, s.algo, s.broker, {_COUNTS},
        percentile_cont(0.5) WITHIN GROUP (ORDER BY s.took) AS took_median,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY s.took) AS took_p95
    FROM asked a LEFT JOIN seen s ON s.recorded_at >= a.since AND s.recorded_at < a.until
    GROUP BY GROUPING SETS ((a.name, a.span, a.since, a.until),
        (a.name, a.span, a.since, a.until, s.algo), (a.name, a.span, a.since, a.until, s.broker))
    ORDER BY s.algo, s.broker"""

_LATENCIES = f"""
    WITH sent AS (
        SELECT e.account, e.order_id, e.data ->> 'child_id' AS child, e.recorded_at
        FROM events e WHERE e.type = 'child.sent' AND e.recorded_at >= $2 AND e.recorded_at < $3
            AND ($1::text[] IS NULL OR e.account = ANY($1))
        ORDER BY e.id DESC LIMIT {LATENCIES_MAX}
    ), intended AS (
        SELECT e.account, e.order_id, e.data ->> 'child_id' AS child, e.recorded_at
        FROM events e WHERE e.type = 'child.intended' AND e.recorded_at < $3
            AND e.recorded_at >= (SELECT min(recorded_at) FROM sent) - interval '1 minute'
            AND ($1::text[] IS NULL OR e.account = ANY($1))
    )
    SELECT count(*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS p50,
        percentile_cont(0.99) WITHIN GROUP (ORDER BY took) AS p99
    FROM (SELECT extract(epoch FROM s.recorded_at - i.recorded_at) * 1000 AS took
        FROM sent s JOIN intended i USING (account, order_id, child)) pairs"""

# Numbered steps are joined by hash; moments within moments would be by trial of each.
_STEPS = f"""{_SEEN}, numbered AS (
        SELECT s.type, floor(extract(epoch FROM s.recorded_at - a.since) / $6::float8)::int AS step
        FROM seen s, asked a WHERE s.recorded_at >= a.since AND s.recorded_at < a.until
    )
    SELECT a.since + n * make_interval(secs => $6::float8) AS at, {_COUNTS} FROM asked a
    CROSS JOIN generate_series(0, $7::int - 1) AS n
    LEFT JOIN numbered s ON s.step = n GROUP BY a.since, n ORDER BY n"""

_BACKLOG = """
    SELECT count(*) AS open, count(*) FILTER (WHERE attention) AS to_be_looked_at,
        count(*) FILTER (WHERE status IN ('accepted', 'scheduled')
            AND start_at <= (SELECT now FROM market_clock)) AS due_to_start,
        count(*) FILTER (WHERE status = 'needs_operator') AS needs_operator,
        (SELECT count(*) FROM children c WHERE c.status IN ('intent', 'sent')
            AND ($1::text[] IS NULL OR c.account = ANY($1))) AS in_flight,
        (SELECT count(*) FROM children c WHERE c.status = 'unknown'
            AND ($1::text[] IS NULL OR c.account = ANY($1))) AS unknown
    FROM orders WHERE status NOT IN ('filled', 'canceled', 'expired', 'rejected')
        AND ($1::text[] IS NULL OR account = ANY($1))"""


async def execution(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    windows: Sequence[str] = tuple(WINDOWS),
    history: str | None = None,
) -> Answer:
    """The windows asked for, each beside the one before, the backlog now, and the `history` of
    one window in steps."""
    now: Instant = await connection.fetchval("SELECT clock_timestamp()")
    found = await connection.fetch(_WINDOWED, accounts, *_spans(windows, now))
    answer: Answer = {
        "at": moment(now),
        "backlog": await backlog(connection, accounts),
        "windows": {},
    }
    for name in windows:
        length = WINDOWS[name].length
        shown = {}
        for span, since in (("current", now - length), ("previous", now - 2 * length)):
            rows = [r for r in found if (r["name"], r["span"]) == (name, span)]
            latency = await connection.fetchrow(_LATENCIES, accounts, since, since + length)
            assert latency is not None, "an aggregate has a row"
            shown[span] = _window(rows, latency, length)
        answer["windows"][name] = shown | {"change": _change(shown["current"], shown["previous"])}
    if history is not None:
        answer["history"] = await _history(connection, accounts, history, now)
    return answer


async def backlog(connection: Connection, accounts: Sequence[str] | None) -> dict[str, int]:
    """What waits now: open orders, those a desk has still to look at, those due to start, children
    without an answer."""
    row = await connection.fetchrow(_BACKLOG, accounts)
    assert row is not None, "an aggregate has a row"
    return dict(row)


def _spans(names: Sequence[str], now: Instant) -> tuple[list[Any], ...]:
    spans = [
        (name, span, now - ago * WINDOWS[name].length, now - (ago - 1) * WINDOWS[name].length)
        for name in names
        for span, ago in (("current", 1), ("previous", 2))
    ]
    return tuple(list(column) for column in zip(*spans, strict=True))


def _window(rows: Sequence[Row], latency: Row, length: Micros) -> Answer:
    whole = next(r for r in rows if r["all_algos"] and r["all_brokers"])
    algos = [r for r in rows if not r["all_algos"] and r["algo"] is not None]
    brokers = [r for r in rows if not r["all_brokers"] and r["broker"] is not None]
    none = None if latency["n"] else "no child was answered"
    return {
        "since": moment(whole["since"]),
        "until": moment(whole["until"]),
        **_figures(whole, length),
        "send_latency": {
            "children": latency["n"],
            "p50_ms": text(rounded(latency["p50"], 3)),
            "p99_ms": text(rounded(latency["p99"], 3)),
            "reason": none,
        },
        "by_algo": {r["algo"]: _figures(r, length) for r in algos},
        "by_broker": {r["broker"]: _figures(r, length) for r in brokers},
    }


def _figures(row: Row, length: Micros) -> Answer:
    answered = row["sent"] + row["refused"]
    return {
        "orders": {
            "accepted": row["accepted"],
            "finished": row["finished"],
            "filled": row["filled"],
            "success_rate": _share(row["filled"], row["finished"]),
        },
        "time_to_complete": {
            "median_seconds": _seconds(row["took_median"]),
            "p95_seconds": _seconds(row["took_p95"]),
        },
        "children": {
            "intended": row["intended"],
            "sent": row["sent"],
            "refused": row["refused"],
            "unknown": row["unknown"],
            "per_second": f"{row['intended'] * SECOND / length:.4f}",
            "success_rate": _share(row["sent"], answered),
        },
        "fills": row["fills"],
    }


def _share(part: int, whole: int) -> str | None:
    return f"{part / whole:.4f}" if whole else None


def _seconds(value: Any) -> str | None:
    return f"{value:.3f}" if value is not None else None


def _change(current: Answer, previous: Answer) -> Answer:
    """Current minus previous; None where one of the two is not known."""

    def of(*path: str) -> str | None:
        now: Any = current
        before: Any = previous
        for name in path:
            now, before = now[name], before[name]
        if now is None or before is None:
            return None
        return f"{float(str(now)) - float(str(before)):.4f}"

    return {
        "orders_success_rate": of("orders", "success_rate"),
        "children_success_rate": of("children", "success_rate"),
        "children_per_second": of("children", "per_second"),
        "median_seconds": of("time_to_complete", "median_seconds"),
        "send_p50_ms": of("send_latency", "p50_ms"),
        "send_p99_ms": of("send_latency", "p99_ms"),
    }


async def _history(
    connection: Connection, accounts: Sequence[str] | None, name: str, now: Instant
) -> Answer:
    window = WINDOWS[name]
    found = await connection.fetch(
        _STEPS,
        accounts,
        *([value] for value in (name, "current", now - window.length, now)),
        window.step / SECOND,
        window.length // window.step,
    )
    return {
        "window": name,
        "step_seconds": window.step // SECOND,
        "items": [
            {"at": moment(r["at"])}
            | {n: r[n] for n in ("accepted", "finished", "filled", "intended", "sent", "refused")}
            | {"unknown": r["unknown"], "fills": r["fills"]}
            for r in found
        ],
    }


def execution_rows(answer: Answer) -> list[Answer]:
    """The windows as lines of a table."""
    lines = []
    for name, shown in answer["windows"].items():
        for span in ("current", "previous"):
            whole = shown[span]
            of = [("all", "", whole)]
            of += [("algo", key, figures) for key, figures in whole["by_algo"].items()]
            of += [("broker", key, figures) for key, figures in whole["by_broker"].items()]
            latency = whole["send_latency"]
            lines += [
                {
                    "window": name,
                    "span": span,
                    "since": whole["since"],
                    "until": whole["until"],
                    "by": by,
                    "key": key,
                    **{f"orders_{n}": v for n, v in figures["orders"].items()},
                    **{f"complete_{n}": v for n, v in figures["time_to_complete"].items()},
                    **{f"children_{n}": v for n, v in figures["children"].items()},
                    "fills": figures["fills"],
                    "send_p50_ms": latency["p50_ms"] if by == "all" else None,
                    "send_p99_ms": latency["p99_ms"] if by == "all" else None,
                }
                for by, key, figures in of
            ]
    return lines
