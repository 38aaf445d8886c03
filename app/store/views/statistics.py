"""How orders went, counted and averaged by the database: exact, over any stretch of time."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.domain.instant import Instant
from app.domain.lifecycle import OrderStatus
from app.store.database import Connection
from app.store.rows import Row
from app.store.views.plain import Answer, moment, rounded, text

GROUPS: Mapping[str, str] = {
    **{name: name for name in ("algo", "symbol", "strategy", "side")},
    # What the router chose, apart from what was asked for.
    "route": "CASE asked_algo WHEN 'auto' THEN 'auto:' || algo ELSE 'asked:' || algo END",
}
"""What orders can be grouped by."""

_STATUSES = ", ".join(
    f"count(*) FILTER (WHERE o.status = '{status.value}') AS status_{status.value}"
    for status in OrderStatus
)

# One row an order. Children are counted once, not once an order: there may be many of both.
_PICKED = """
    WITH picked AS (
        SELECT account, id, status, qty, filled, filled_notional, fees, {group} AS key,
            instrument ->> 'currency' AS currency,
            CASE WHEN status = 'filled'
                THEN finished_at - greatest(start_at, accepted_at) END AS took,
            CASE WHEN filled > 0 AND arrival_bid + arrival_ask > 0
                THEN (CASE side WHEN 'buy' THEN 1 ELSE -1 END)
                    * (filled_notional / filled - (arrival_bid + arrival_ask) / 2)
                    / ((arrival_bid + arrival_ask) / 2) * 10000 END AS slippage,
            (estimate ->> 'total_bps')::numeric AS expected
        FROM orders
        WHERE ($1::text[] IS NULL OR account = ANY($1))
            AND ($2::timestamptz IS NULL OR accepted_at >= $2)
            AND ($3::timestamptz IS NULL OR accepted_at < $3)
    ), sent AS (
        SELECT c.account, c.order_id, count(*) AS n,
            count(*) FILTER (WHERE c.status = 'rejected') AS rejected,
            count(*) FILTER (WHERE c.status = 'unknown') AS unknown
        FROM children c JOIN picked p ON p.account = c.account AND p.id = c.order_id
        GROUP BY c.account, c.order_id
    )"""

_SUMS = f"""
    SELECT grouping(o.key) = 1 AS whole, o.key, count(*) AS orders, {_STATUSES},
        sum(o.qty) AS qty, sum(o.filled) AS filled, avg(o.filled / o.qty) AS mean_ratio,
        count(*) FILTER (WHERE o.filled > 0) AS with_fills,
        sum(o.filled_notional) AS notional, sum(o.fees) AS fees,
        min(o.currency) AS currency, count(DISTINCT o.currency) AS currencies,
        count(o.slippage) AS measured, avg(o.slippage) AS slippage,
        sum(o.slippage * o.filled_notional)
            / nullif(sum(o.filled_notional) FILTER (WHERE o.slippage IS NOT NULL), 0) AS weighted,
        count(o.slippage) FILTER (WHERE o.expected IS NOT NULL) AS estimated,
        avg(o.expected) FILTER (WHERE o.slippage IS NOT NULL) AS expected,
        avg(o.slippage - o.expected) AS surprise,
        stddev_samp(o.slippage - o.expected)
            / sqrt(nullif(count(o.slippage - o.expected), 0)) AS surprise_error,
        count(o.took) AS completed,
        extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY o.took)) AS median,
        extract(epoch FROM percentile_cont(0.95) WITHIN GROUP (ORDER BY o.took)) AS p95,
        coalesce(sum(s.n), 0) AS children, coalesce(sum(s.rejected), 0) AS rejected,
        coalesce(sum(s.unknown), 0) AS unknown
    FROM picked o LEFT JOIN sent s ON s.account = o.account AND s.order_id = o.id
    GROUP BY GROUPING SETS ((o.key), ()) ORDER BY 1 DESC, o.key NULLS FIRST"""


async def order_statistics(
    connection: Connection,
    *,
    accounts: Sequence[str] | None,
    since: Instant | None = None,
    until: Instant | None = None,
    group_by: str | None = None,
) -> Answer:
    """Orders accepted from `since` on and before `until` (market time), as a whole and in groups.

    `group_by` is one of GROUPS. A figure that nothing supports is None, with the reason.
    """
    group = GROUPS[group_by] if group_by is not None else "NULL::text"
    found = await connection.fetch(_PICKED.format(group=group) + _SUMS, accounts, since, until)
    groups = [row for row in found if not row["whole"]] if group_by is not None else []
    return {
        "since": moment(since),
        "until": moment(until),
        "group_by": group_by,
        "total": _shown(next(row for row in found if row["whole"])),
        "groups": [{"key": row["key"], **_shown(row)} for row in groups],
    }


def _shown(row: Row) -> Answer:
    return {
        "orders": row["orders"],
        "by_status": {s.value: n for s in OrderStatus if (n := row[f"status_{s.value}"])},
        "filled": _filled(row),
        "notional": _money(row, "notional"),
        "fees": _money(row, "fees"),
        "slippage": _slippage(row),
        "against_estimate": _against_estimate(row),
        "time_to_complete": _times(row),
        "children": {
            "total": int(row["children"]),
            "per_order": _ratio(row["children"], Decimal(row["orders"])),
            "rejected": int(row["rejected"]),
            "unknown": int(row["unknown"]),
        },
    }


def _filled(row: Row) -> Answer:
    """Quantities are summed over symbols as well: the mean of the orders' ratios is not."""
    return {
        "orders": row["with_fills"],
        "qty": text(row["qty"] or Decimal(0)),
        "filled": text(row["filled"] or Decimal(0)),
        "ratio": _ratio(row["filled"], row["qty"]),
        "mean_ratio": text(rounded(row["mean_ratio"], 6)),
        "reason": None if row["orders"] else "no orders",
    }


def _money(row: Row, what: str) -> Answer:
    """Sums of one currency; what is in several is not added up."""
    several = row["currencies"] > 1
    reason = "several currencies" if several else None if row["orders"] else "no orders"
    return {
        "value": text(row[what]) if reason is None else None,
        "currency": row["currency"] if reason is None else None,
        "reason": reason,
    }


def _slippage(row: Row) -> Answer:
    """Against the middle at arrival, in basis points; positive is a cost."""
    return {
        "orders": row["measured"],
        "mean_bps": text(rounded(row["slippage"], 4)),
        "weighted_bps": text(rounded(row["weighted"], 4)),
        "reason": None if row["measured"] else "no fills with a quote at arrival",
    }


def _against_estimate(row: Row) -> Answer:
    """What was expected at acceptance, and by how much more it cost (positive), in basis points;
    one order says next to nothing: the standard error says how much many do."""
    return {
        "orders": row["estimated"],
        "expected_bps": text(rounded(row["expected"], 4)),
        "surprise_bps": text(rounded(row["surprise"], 4)),
        "standard_error_bps": text(rounded(row["surprise_error"], 4)),
        "reason": None if row["estimated"] else "no fills with a quote and an estimate at arrival",
    }


def _times(row: Row) -> Answer:
    """Seconds of market time from the start to the end of orders that were filled."""
    return {
        "orders": row["completed"],
        "median_seconds": text(row["median"]),
        "p95_seconds": text(row["p95"]),
        "reason": None if row["completed"] else "no filled orders",
    }


def _ratio(part: Any, whole: Decimal | None) -> str | None:
    return text(rounded(Decimal(part) / whole, 6)) if whole else None
