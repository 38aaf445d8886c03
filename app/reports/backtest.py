"""The report of a backtest: what each algorithm cost, how they compare, one parent in full.

Reads the result as it is stored, so that a page can be made of it again at any time.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.reports.backtest_plots import (
    costs_plot,
    differences_plot,
    parts_plot,
    path_plot,
    schedule_plot,
)
from app.reports.chart import chart
from app.reports.page import Cell, Html, Section, facts, page, paragraph, table
from app.reports.wording import bps, number, percent

Result = Mapping[str, Any]

FIGURES = {
    "total": "implementation shortfall",
    "delay": "delay",
    "execution": "execution",
    "opportunity": "opportunity",
    "fees": "fees",
    "arrival": "fills against arrival",
    "interval_vwap": "fills against interval VWAP",
    "markout_1m": "mark-out after 1 minute",
    "markout_5m": "mark-out after 5 minutes",
    "reversion_1m": "reversion after 1 minute",
    "reversion_5m": "reversion after 5 minutes",
}
SHARES = {
    "completion": "filled of ordered",
    "participation": "participation",
    "rest_share": "filled at rest",
    "fill_probability": "filled of what rested",
}
COMPARED = ("total", "arrival", "interval_vwap", "fees", "opportunity")


def backtest_page(result: Result) -> str:
    """Everything that a backtest found, as one page."""
    plan, parents = result["plan"], result["parents"]
    names = " against ".join(_names(result))
    subtitle = f"{parents['worked']:,} parents on {parents['days']} days"
    if result["partial"]:
        subtitle += f" · broken off: {parents['asked']:,} were asked for"
    sections = [
        Section("What was done", [_plan(plan, result)]),
        Section("What it cost", _costs(result)),
        Section("Parent by parent", _comparison(result)),
        *([Section("One parent", _sample(result))] if result["sample"] else []),
        Section("How to read it", [paragraph(note) for note in result["notes"]]),
    ]
    return page(f"Backtest: {names}", subtitle, sections, foot="Slipstream · positive = cost")


def _names(result: Result) -> list[str]:
    return [algorithm["label"] for algorithm in result["algorithms"]]


def _plan(plan: Mapping[str, Any], result: Result) -> Html:
    parents = result["parents"]
    shares = plan["participation"]
    if shares is None:
        size = number(Decimal(plan["qty"]))
    else:
        ends = [percent(Decimal(share)) for share in dict.fromkeys(shares)]
        size = f"{' – '.join(str(end) for end in ends)} of a usual day"
    refused = ", ".join(f"{n} {why.replace('_', ' ')}" for why, n in parents["refused"].items())
    left = ", ".join(f"{n} {why}" for why, n in result["sessions_left_out"].items())
    impact = plan["impact"]
    window = plan["window"] if plan["window"] == "day" else f"{plan['window'] / 60:g} minutes"
    return facts(
        [
            ("tape", plan["tape"]),
            ("symbols", ", ".join(parents["symbols"]) or None),
            ("days", " to ".join(plan["days"]) if plan["days"] else "all there are"),
            ("size", size),
            ("window", window),
            ("side", plan["side"]),
            ("latency, one way", f"{plan['latency_ms']:g} ms"),
            ("fees", f"{plan['fee_per_share']} a share, {plan['fee_bps']} bps"),
            ("impact", "none" if impact is None else _impact(impact)),
            ("maximum participation", _fraction(plan["max_participation"])),
            ("seed", plan["seed"]),
            ("parents not worked", refused or "none"),
            ("sessions left out", left or "none"),
        ]
    )


def _impact(impact: Mapping[str, float]) -> str:
    return f"permanent {impact['permanent']:g}, temporary {impact['temporary']:g}"


def _fraction(told: str | float | None) -> str | None:
    return percent(Decimal(str(told))) if told is not None else None


def _costs(result: Result) -> list[Html]:
    algorithms = result["algorithms"]
    columns = ["mean, bps", *_names(result)]
    rows = [[title, *(_mean(a, name) for a in algorithms)] for name, title in FIGURES.items()]
    shares = [[title, *(_share(a, name) for a in algorithms)] for name, title in SHARES.items()]
    said = paragraph("Shortfall and its parts of ordered quantity × decision price.")
    parts: list[Html] = [table(columns, rows), said, table(["mean", *_names(result)], shares)]
    if not any(_known(a, "total") for a in algorithms):
        return parts
    height = 1.0 + 0.42 * len(algorithms)
    return [
        chart(
            lambda axes: costs_plot(axes, algorithms),
            caption="Implementation shortfall of the parents: median, the middle half, and from "
            "the 5th to the 95th of a hundred; the mark is the mean.",
            name="costs",
            height=height,
        ),
        chart(
            lambda axes: parts_plot(axes, algorithms),
            caption="Mean parts of the implementation shortfall.",
            name="parts",
            height=height + 0.3,
        ),
        *parts,
    ]


def _known(algorithm: Mapping[str, Any], name: str) -> bool:
    return bool(algorithm["figures"][name]["n"])


def _mean(algorithm: Mapping[str, Any], name: str) -> Cell:
    found = algorithm["figures"][name]
    return bps(Decimal(str(found["mean"]))) if found["n"] else None


def _share(algorithm: Mapping[str, Any], name: str) -> Cell:
    found = algorithm["figures"][name]
    return _fraction(found["mean"]) if found["n"] else None


def _comparison(result: Result) -> list[Html]:
    compared = result["comparison"]
    if not compared:
        return [paragraph("One algorithm: there is nothing to compare it with.")]
    rows = [
        [f"{of['label']} − {of['against']}", FIGURES[name], *_paired(of["figures"][name])]
        for of in compared
        for name in COMPARED
        if _differs(of["figures"][name])
    ]
    parts = [
        table(
            ["difference", "bps", "pairs", "mean", "95 %", "median", "95 %", "cheaper", "equal"],
            rows,
            right=2,
        )
    ]
    if any(of["figures"]["total"]["mean_interval"] for of in compared):
        parts.insert(
            0,
            chart(
                lambda axes: differences_plot(axes, compared),
                caption="Mean difference of the implementation shortfall with its 95 % interval "
                "(days drawn again); left of the line it is cheaper.",
                name="differences",
                height=1.0 + 0.42 * len(compared),
            ),
        )
    reasons = {f["reason"] for of in compared for f in of["figures"].values() if f["reason"]}
    return [*parts, *(paragraph(f"{why[0].upper()}{why[1:]}.") for why in sorted(reasons))]


def _differs(found: Mapping[str, Any]) -> bool:
    return bool(found["n"]) and found["ties"] < 1


def _paired(found: Mapping[str, Any]) -> list[Cell]:
    return [
        f"{found['n']:,}",
        bps(Decimal(str(found["mean"]))),
        _interval(found["mean_interval"]),
        bps(Decimal(str(found["median"]))),
        _interval(found["median_interval"]),
        _fraction(found["wins"]),
        _fraction(found["ties"]),
    ]


def _interval(bounds: Sequence[float] | None) -> str | None:
    return f"{bounds[0]:+,.2f} … {bounds[1]:+,.2f}" if bounds is not None else None


def _sample(result: Result) -> list[Html]:
    sample = result["sample"]
    asked = f"{sample['side']} {number(Decimal(sample['qty']))} {sample['symbol']}"
    return [
        paragraph(
            f"Parent {sample['parent']}: {asked} on {sample['day']}, "
            f"{sample['begins'][11:19]} – {sample['end'][11:19]} UTC."
        ),
        chart(
            lambda axes: schedule_plot(axes, sample),
            caption="Quantity done; dotted: the schedule as it was planned at the start.",
            name="schedule",
        ),
        chart(
            lambda axes: path_plot(axes, sample),
            caption="The market's mid, and each algorithm's fills: dots at rest, diamonds "
            "crossing.",
            name="path",
        ),
    ]
