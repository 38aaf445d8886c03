"""The report of many orders."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.domain.tca.summary import FIGURES, PARTS, Line, Sample, Summary
from app.reports.chart import BLUE, INK, ORANGE, PURPLE, RED, chart
from app.reports.page import Cell, Html, Section, facts, page, paragraph, table
from app.reports.wording import bps, known, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = dict(zip(PARTS, (PURPLE, RED, ORANGE, BLUE), strict=True))

NAMES = {
    "total": "implementation shortfall",
    "arrival": "fills against arrival",
    "interval_vwap": "fills against interval VWAP",
    "reversion_1m": "reversion after 1 minute",
    "reversion_5m": "reversion after 5 minutes",
}


ORDERS_MIN = 8
"""A histogram of fewer shows nothing."""

GROUPS_MAX, NAME_MAX = 24, 24
"""What a chart has room for."""


def summary_page(lines: Sequence[Line], whole: Summary, groups: Sequence[Summary], by: str) -> str:
    """What many orders cost, as a whole and by group."""
    sections = [
        Section("All orders", _all(lines, whole)),
        Section(f"By {by}", _groups(groups, by)),
    ]
    subtitle = f"{whole.orders} orders, {whole.whole} filled completely"
    return page("Execution costs", subtitle, sections, foot="Slipstream · positive = cost")


def _all(lines: Sequence[Line], whole: Summary) -> list[Html]:
    rows = [[NAMES.get(name, name), *_sample(whole.figures[name])] for name in FIGURES]
    parts: list[Html] = [
        facts(
            [
                ("ordered", _money(whole)),
                ("participation, mean", percent(whole.participation.mean)),
                ("quality score, mean", known(_score(whole.score), whole.score.reason)),
            ]
        ),
        table(["bps", "orders", "mean", "weighted", "sd", "std. error", ""], rows),
        paragraph(
            "Mean: every order alike. Weighted: by money. Orders that were not filled count with "
            "their opportunity cost. A difference smaller than twice its standard error says "
            "nothing."
        ),
    ]
    costs = [float(line.bps["total"]) for line in lines if "total" in line.bps]
    if len(costs) >= ORDERS_MIN:
        parts.append(
            chart(
                lambda axes: _spread(axes, costs),
                caption="Implementation shortfall of every order; the line is the mean.",
                name="spread",
                height=2.2,
            )
        )
    return parts


def _money(whole: Summary) -> Cell:
    if whole.ordered is None:
        return known(None, "several currencies" if whole.orders else "no orders")
    return f"{number(whole.ordered, 2)} {whole.currency}"


def _score(found: Sample) -> str | None:
    if found.mean is None:
        return None
    error = f" ± {found.standard_error:.1f}" if found.standard_error is not None else ""
    return f"{found.mean:.1f}{error}"


def _sample(of: Sample) -> list[Cell]:
    return [of.count, bps(of.mean), bps(of.weighted), number(of.sd, 2),
            number(of.standard_error, 2), of.reason or ""]  # fmt: skip


def _groups(groups: Sequence[Summary], by: str) -> list[Html]:
    if not groups:
        return [paragraph("No orders.")]
    rows: list[list[Cell]] = []
    for group in groups:
        total, score = group.figures["total"], group.score
        rows.append(
            [
                group.key,
                group.orders,
                group.whole,
                bps(total.mean),
                number(total.standard_error, 2),
                bps(total.weighted),
                *(bps(group.figures[name].mean) for name in PARTS),
                bps(group.figures["interval_vwap"].mean),
                known(_score(score), "–" if score.mean is None else None),
            ]
        )
    columns = [by, "orders", "whole", "mean", "s.e.", "weighted", *PARTS, "vs VWAP", "quality"]
    return [
        table(columns, rows),
        chart(
            lambda axes: _stacked(axes, groups),
            caption="Mean parts of the implementation shortfall; the bar is one standard error "
            "of the total to each side.",
            name="groups",
            height=1.1 + 0.34 * min(len(groups), GROUPS_MAX),
        ),
    ]


def _spread(axes: "Axes", costs: Sequence[float]) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.hist(costs, bins=min(40, max(8, len(costs) // 4)), color=BLUE, alpha=0.75)
    axes.axvline(sum(costs) / len(costs), color=ORANGE, linewidth=1.5)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("bps")
    axes.set_ylabel("orders")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _stacked(axes: "Axes", groups: Sequence[Summary]) -> None:
    shown = list(groups)[:GROUPS_MAX][::-1]
    names = [_name(group.key) for group in shown]
    places = list(range(len(shown)))
    costs, gains = [0.0] * len(shown), [0.0] * len(shown)
    for part in PARTS:
        values = [float(group.figures[part].mean or 0) for group in shown]
        base = [c if v >= 0 else g for v, c, g in zip(values, costs, gains, strict=True)]
        axes.barh(places, values, left=base, color=_COLOURS[part], height=0.6, label=part)
        costs = [c + max(v, 0) for c, v in zip(costs, values, strict=True)]
        gains = [g + min(v, 0) for g, v in zip(gains, values, strict=True)]
    for i, group in enumerate(shown):
        total = group.figures["total"]
        if total.mean is not None:
            error = float(total.standard_error or 0)
            axes.errorbar(
                float(total.mean), i, xerr=error, color=INK, capsize=3, marker="|", markersize=9
            )
    axes.set_yticks(places, names)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("bps")
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.1)


def _name(key: str | None) -> str:
    name = key or "–"
    return name if len(name) <= NAME_MAX else name[: NAME_MAX - 1] + "…"
