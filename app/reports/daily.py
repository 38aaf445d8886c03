"""The report of one day."""

from collections.abc import Sequence
from decimal import Decimal

from app.domain.tca.day import Day
from app.domain.tca.summary import PARTS, Line, Summary
from app.reports.page import Cell, Html, Section, facts, page, paragraph, table
from app.reports.wording import bps, known, number, percent


def daily_page(day: Day) -> str:
    """The day as one page."""
    sections = [
        Section("Orders", [_orders(day)]),
        Section("Costs", _costs(day)),
        Section("Dearest orders", [_worst(day.worst)]),
        Section("Alerts", [_alerts(day.alerts)]),
    ]
    subtitle = f"{day.orders} orders accepted on this day, UTC"
    return page(
        f"Executions of {day.date}", subtitle, sections, foot="Slipstream · positive = cost"
    )


def _orders(day: Day) -> Html:
    several = "several currencies" if day.orders else "no orders"
    return facts(
        [
            *((status, count) for status, count in day.by_status.items()),
            ("filled of ordered quantity", percent(day.fill_ratio)),
            ("traded", known(_money(day.notional, day.currency), several)),
            ("fees", known(_money(day.fees, day.currency), several)),
        ]
    )


def _money(value: Decimal | None, currency: str | None) -> str | None:
    return f"{number(value, 2)} {currency}" if value is not None else None


def _costs(day: Day) -> list[Html]:
    columns = [
        "",
        "orders",
        "shortfall",
        "s.e.",
        "weighted",
        *PARTS,
        "arrival",
        "vs VWAP",
        "quality",
    ]
    rows = [_row(group.key or "–", group) for group in day.groups]
    return [
        table(columns, [*rows, _row("all", day.costs)], total=True),
        paragraph(
            "Finished orders, basis points; shortfall and its parts of ordered quantity × decision "
            "price. Quality: mean score ± its standard error, 50 where costs are as expected."
        ),
    ]


def _row(name: str, of: Summary) -> list[Cell]:
    total, score = of.figures["total"], of.score
    quality = None
    if score.mean is not None:
        error = f" ± {score.standard_error:.1f}" if score.standard_error is not None else ""
        quality = f"{score.mean:.1f}{error}"
    return [
        name,
        of.orders,
        bps(total.mean),
        number(total.standard_error, 2),
        bps(total.weighted),
        *(bps(of.figures[part].mean) for part in PARTS),
        bps(of.figures["arrival"].mean),
        bps(of.figures["interval_vwap"].mean),
        quality,
    ]


def _worst(lines: Sequence[Line]) -> Html:
    columns = ["order", "symbol", "side", "algorithm", "shortfall", *PARTS, "ordered"]
    return table(
        columns,
        [
            [
                line.order_id,
                line.symbol,
                line.side,
                line.algo,
                bps(line.bps.get("total")),
                *(bps(line.bps.get(part)) for part in PARTS),
                number(line.ordered, 2),
            ]
            for line in lines
        ],
        right=4,
    )


def _alerts(alerts: Sequence[tuple[str, str, int]]) -> Html:
    return table(["severity", "rule", "count"], alerts, right=2)
