"""The drawings of a backtest's report."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from app.reports.chart import BLUE, GREEN, INK, ORANGE, PURPLE, RED, time_axis
from app.reports.wording import day_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED)
PARTS = {"delay": PURPLE, "execution": RED, "opportunity": ORANGE, "fees": BLUE}

Figures = Mapping[str, Any]


def colour_of(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def costs_plot(axes: "Axes", algorithms: Sequence[Figures]) -> None:
    """Boxes from the quantiles that the result has."""
    shown = [a for a in algorithms if a["figures"]["total"]["n"]]
    for place, algorithm in enumerate(shown):
        found = algorithm["figures"]["total"]
        colour, y = colour_of(algorithms.index(algorithm)), len(shown) - place
        axes.hlines(y, found["p05"], found["p95"], color=colour, linewidth=1.4)
        axes.barh(
            y, found["p75"] - found["p25"], left=found["p25"], height=0.5, color=colour, alpha=0.55
        )
        axes.vlines(found["median"], y - 0.25, y + 0.25, color=INK, linewidth=1.6)
        axes.plot([found["mean"]], [y], marker="D", markersize=5, color=INK, linestyle="none")
    _rows(axes, [a["label"] for a in shown])


def parts_plot(axes: "Axes", algorithms: Sequence[Figures]) -> None:
    """Costs to the right of zero, gains to the left."""
    shown = [a for a in algorithms if a["figures"]["total"]["n"]]
    costs, gains = [0.0] * len(shown), [0.0] * len(shown)
    places = [len(shown) - i for i in range(len(shown))]
    for part, colour in PARTS.items():
        values = [a["figures"][part].get("mean") or 0.0 for a in shown]
        base = [c if v >= 0 else g for v, c, g in zip(values, costs, gains, strict=True)]
        axes.barh(places, values, left=base, color=colour, height=0.5, label=part)
        costs = [c + max(v, 0) for c, v in zip(costs, values, strict=True)]
        gains = [g + min(v, 0) for g, v in zip(gains, values, strict=True)]
    _rows(axes, [a["label"] for a in shown])
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.1)


def differences_plot(axes: "Axes", compared: Sequence[Figures]) -> None:
    """A mark and an interval for each algorithm."""
    shown = [c for c in compared if c["figures"]["total"]["mean_interval"]]
    for place, one in enumerate(shown):
        found, y = one["figures"]["total"], len(shown) - place
        low, high = found["mean_interval"]
        colour = colour_of(1 + list(compared).index(one))
        axes.hlines(y, low, high, color=colour, linewidth=2.4)
        axes.plot([found["mean"]], [y], marker="o", color=colour, markersize=6)
        axes.annotate(
            f"{found['mean']:+.2f}", (found["mean"], y), xytext=(0, 8), ha="center",
            textcoords="offset points", fontsize=8,
        )  # fmt: skip
    _rows(axes, [f"{c['label']} − {c['against']}" for c in shown])


def _rows(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names), 0, -1), list(names))
    axes.set_ylim(0.4, len(names) + 0.6)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("bps")
    axes.grid(visible=False, axis="y")


def schedule_plot(axes: "Axes", sample: Figures) -> None:
    begins, end = sample["path"][0][0], sample["path"][-1][0]
    for place, run in enumerate(sample["runs"]):
        colour = colour_of(place)
        if run["schedule"]:
            at = [begins, *(step[0] for step in run["schedule"]), end]
            planned = [0.0, *(float(step[1]) for step in run["schedule"])]
            axes.step(
                [day_time(a) for a in at], [*planned, planned[-1]], where="post", color=colour,
                linewidth=1, linestyle=":",
            )  # fmt: skip
        done = list(accumulate((float(f[1]) for f in run["fills"]), initial=0.0))
        at = [begins, *(f[0] for f in run["fills"]), end]
        axes.step(
            [day_time(a) for a in at], [*done, done[-1]], where="post", color=colour,
            linewidth=1.6, label=run["label"],
        )  # fmt: skip
    axes.axhline(float(sample["qty"]), color=INK, linewidth=0.6, linestyle=":")
    axes.set_ylabel("quantity")
    axes.set_ylim(bottom=0)
    time_axis(axes)
    axes.legend(loc="upper left")


def path_plot(axes: "Axes", sample: Figures) -> None:
    at = [day_time(moment) for moment, _ in sample["path"]]
    axes.plot(at, [float(mid) for _, mid in sample["path"]], color=INK, alpha=0.55, linewidth=1)
    for place, run in enumerate(sample["runs"]):
        label: str | None = run["label"]
        for purpose, marker in (("rest", "o"), ("cross", "D")):
            of = [f for f in run["fills"] if f[3] == purpose]
            axes.plot(
                [day_time(f[0]) for f in of], [float(f[2]) for f in of], marker=marker,
                markersize=4, linestyle="none", color=colour_of(place), alpha=0.75,
                label=label if of else None,
            )  # fmt: skip
            label = None if of else label
    axes.set_ylabel("price")
    time_axis(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best")
