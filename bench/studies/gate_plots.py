"""Two pictures of the study of gates, as SVG files for a page of either colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.instant import Instant, to_datetime
from app.domain.quantity import Side
from app.domain.regime.record import Label
from app.reports.chart import BLUE, GREEN, ORANGE, PURPLE, RED, chart, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEUTRAL = "#7d8590"
"""Instead of the page's own colour, which a picture beside a page does not know."""

COLORS = {
    Label.TRENDING: GREEN,
    Label.MEAN_REVERTING: BLUE,
    Label.VOLATILE: ORANGE,
    Label.CRISIS: RED,
}
EVERY = 5
"""Minutes between two points of the line: the eye sees no more of twenty sessions."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A signal that passed, and the price then."""

    at: Instant
    side: Side
    price: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A session: the price and the label at the end of each of its minutes."""

    opens_at: Instant
    prices: Sequence[float | None]
    labels: Sequence[Label | None]


def flow_plot(line: Sequence[tuple[Instant, float]], marks: Sequence[Marked], path: Path) -> None:
    def draw(axes: "Axes") -> None:
        axes.plot([to_datetime(at) for at, _ in line], [p for _, p in line], color=NEUTRAL, lw=1)
        for side, color, marker in ((Side.BUY, GREEN, "^"), (Side.SELL, RED, "v")):
            some = [mark for mark in marks if mark.side is side]
            axes.scatter(
                [to_datetime(mark.at) for mark in some],  # type: ignore[misc]
                [mark.price for mark in some],
                color=color,
                marker=marker,
                s=16,
                label=f"a {side.value} passes",
                zorder=3,
            )
        time_axis(axes)
        axes.set_ylabel("middle of the quote")
        axes.legend()

    _write(chart(draw, caption="IBM, 2013-10-07 (UTC)", name="gates-flow", height=3.2), path)


def regime_plot(days: Sequence[Stretch], path: Path) -> None:
    """Nights are left out; a line stands at each open of the first session of a week."""

    def draw(axes: "Axes") -> None:
        place = 0
        seen: set[Label | None] = set()
        for day in days:
            stretches = _runs(day.labels)
            for first, last, label in stretches:
                rows = [*range(first, last, EVERY), last - 1]
                axes.plot(
                    [place + row for row in rows],
                    [day.prices[row] or float("nan") for row in rows],
                    color=COLORS[label] if label else PURPLE,
                    lw=1.3,
                    label=None
                    if label in seen
                    else (label.value.replace("_", " ") if label else "too little history"),
                )
                seen.add(label)
            place += len(day.prices)
        opens, names = _weeks(days)
        axes.set_xticks(opens, names)
        axes.set_ylabel("middle of the quote")
        axes.legend()

    caption = "SPY, January 2011: the regime of each minute, as it was known then"
    _write(chart(draw, caption=caption, name="gates-regimes", height=3.2), path)


def _runs(labels: Sequence[Label | None]) -> list[tuple[int, int, Label | None]]:
    """From row, to row, label; each run reaches to the next one's first row."""
    starts = [row for row in range(len(labels)) if row == 0 or labels[row] is not labels[row - 1]]
    ends = [min(start + 1, len(labels)) for start in starts[1:]] + [len(labels)]
    return [(start, end, labels[start]) for start, end in zip(starts, ends, strict=True)]


def _weeks(days: Sequence[Stretch]) -> tuple[list[int], list[str]]:
    opens, names, place, week = [], [], 0, None
    for day in days:
        date = to_datetime(day.opens_at)
        if date.isocalendar().week != week:
            week = date.isocalendar().week
            opens.append(place)
            names.append(f"{date:%b} {date.day}")
        place += len(day.prices)
    return opens, names


def _write(figure: str, path: Path) -> None:
    drawing = figure[figure.index("<svg") : figure.index("</svg>") + len("</svg>")]
    path.write_text(drawing.replace("currentColor", NEUTRAL) + "\n", encoding="utf-8")
