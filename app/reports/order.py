"""The report of one order."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from app.domain.instant import Instant
from app.domain.quantity import ZERO
from app.domain.tca.analysis import Analysis, Worked
from app.domain.tca.shortfall import Part, Shortfall
from app.domain.tca.spread import Measure
from app.reports.chart import BLUE, GREEN, INK, ORANGE, PURPLE, RED, chart, time_axis
from app.reports.page import Cell, Html, Section, facts, page, paragraph, table
from app.reports.wording import bps, day_time, known, moment, number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Steps = Sequence[tuple[Instant, Decimal]]
"""The schedule: from each moment on, so much may be done in all."""

PARTS = ("delay", "execution", "opportunity", "fees")

_SIGN = "Basis points of ordered quantity × decision price; positive = cost, for buys and sells."


def order_page(worked: Worked, analysis: Analysis, steps: Steps = ()) -> str:
    """Everything that is known of what an order cost, as one page."""
    title = f"{worked.side.value} {number(worked.qty)} {worked.symbol}"
    subtitle = f"{worked.algo} · {worked.status} · order {worked.order_id}"
    sections = [
        Section("The order", [_order(worked, analysis)]),
        Section("What it cost", _cost(worked, analysis)),
        Section("How it was worked", _plots(worked, steps)),
        Section("Around the fills", _spreads(analysis)),
        Section("Against the estimate", _estimate(worked, analysis)),
    ]
    return page(title, subtitle, sections, foot="Slipstream · times are market time, UTC")


def _order(worked: Worked, analysis: Analysis) -> Html:
    outcome = analysis.outcome
    return facts(
        [
            ("filled", f"{number(worked.filled)} of {number(worked.qty)}"),
            ("average price", number(outcome.average_price, 4)),
            ("accepted", moment(worked.accepted_at)),
            ("window", f"{moment(worked.start)} – {moment(worked.end)}"),
            ("finished", moment(worked.finished_at)),
            ("account at broker", f"{worked.account} at {worked.broker}"),
            ("strategy", worked.strategy),
            ("client's id", worked.client_order_id),
            ("children, fills", f"{len(worked.children)}, {len(worked.fills)}"),
            ("participation", percent(outcome.participation)),
        ]
    )


def _cost(worked: Worked, analysis: Analysis) -> list[Html]:
    found = analysis.shortfall
    rows: list[Sequence[Cell]] = [_row(name, getattr(found, name)) for name in PARTS]
    rows.append(_row("implementation shortfall", found.total))
    prices = [("decision", found.decision), ("work began", found.begin), ("end", found.end)]
    outcome = analysis.outcome
    own = {True: "own fills included", False: "own fills not included", None: None}
    against = [
        ("arrival mid", outcome.arrival, None),
        ("interval VWAP", outcome.interval_vwap, own[outcome.own_included]),
    ]
    return [
        table(["part", "bps", worked.currency, ""], rows, total=True),
        chart(lambda axes: _bars(axes, found), caption=_SIGN, name="parts", height=1.9),
        facts([(f"mid: {n}", known(number(p.mid, 4), p.reason)) for n, p in prices]),
        table(
            ["benchmark", "price", "bps", worked.currency, ""],
            [
                [
                    name,
                    number(s.benchmark, 4),
                    bps(s.bps),
                    number(s.money, 2),
                    s.reason or note or "",
                ]
                for name, s, note in against
            ],
        ),
    ]


def _row(name: str, part: Part) -> list[Cell]:
    return [name, bps(part.bps), number(part.money, 2), part.reason or ""]


def _bars(axes: "Axes", found: Shortfall) -> None:
    shown = [(name, getattr(found, name)) for name in (*PARTS, "total")]
    names = [name for name, part in shown if part.bps is not None][::-1]
    values = [float(part.bps) for _, part in shown if part.bps is not None][::-1]
    colours = [
        BLUE if name == "total" else (RED if v > 0 else GREEN)
        for name, v in zip(names, values, strict=True)
    ]
    axes.barh(names, values, color=colours, height=0.62)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("bps")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    for name, value in zip(names, values, strict=True):
        axes.annotate(
            f"{value:+.2f}", (value, name), xytext=(4 if value >= 0 else -4, 0), va="center",
            textcoords="offset points", ha="left" if value >= 0 else "right", fontsize=8,
        )  # fmt: skip


def _plots(worked: Worked, steps: Steps) -> list[Html]:
    if not worked.fills and not worked.children:
        return [paragraph("Nothing was sent.")]
    return [
        chart(
            lambda axes: _progress(axes, worked, steps),
            caption="Quantity done against the schedule from the start, on the terms that stand.",
            name="progress",
        ),
        chart(
            lambda axes: _path(axes, worked),
            caption="Mids as they were seen when children were decided, at fills and after them; "
            "fills by how their child traded.",
            name="path",
        ),
        table(
            ["child", "purpose", "status", "decided", "qty", "filled", "limit", "mid then"],
            [
                [
                    c.number, c.purpose, c.status, moment(c.intended_at), number(c.qty),
                    number(c.filled), number(c.price), number(c.quote.mid) if c.quote else None,
                ]
                for c in worked.children[:CHILDREN_MAX]
            ],
            right=4,
        ),
        *_more(len(worked.children)),
    ]  # fmt: skip


CHILDREN_MAX = 200


def _more(children: int) -> list[Html]:
    if children <= CHILDREN_MAX:
        return []
    return [paragraph(f"The first {CHILDREN_MAX} of {children} children.")]


def _progress(axes: "Axes", worked: Worked, steps: Steps) -> None:
    last = worked.finished_at or worked.now or worked.end
    if steps:
        moments = [worked.start, *(at for at, _ in steps), max(worked.end, last)]
        amounts = [0.0, *(float(qty) for _, qty in steps), float(steps[-1][1])]
        axes.step(
            [day_time(at) for at in moments], amounts, where="post", color=ORANGE, linewidth=1.2,
            label="scheduled",
        )  # fmt: skip
    done = list(accumulate((f.qty for f in worked.fills), initial=ZERO))
    moments = [worked.start, *(f.at for f in worked.fills), last]
    axes.step(
        [day_time(at) for at in moments], [float(q) for q in [*done, done[-1]]], where="post",
        color=BLUE, linewidth=1.6, label="filled",
    )  # fmt: skip
    axes.axhline(float(worked.qty), color=INK, linewidth=0.6, linestyle=":")
    axes.set_ylabel("quantity")
    axes.set_ylim(bottom=0)
    time_axis(axes)
    _legend(axes)


def _path(axes: "Axes", worked: Worked) -> None:
    seen = {m.at: m.mid for m in worked.marks.values() if m.mid is not None}
    for child in worked.children:
        if child.quote is not None and child.quote.mid is not None:
            seen.setdefault(child.intended_at, child.quote.mid)
    moments = sorted(seen)
    axes.plot(
        [day_time(at) for at in moments], [float(seen[at]) for at in moments], color=INK,
        alpha=0.55, linewidth=1, marker=".", markersize=3, label="mid",
    )  # fmt: skip
    for purpose, colour, sign in (("rest", GREEN, "o"), ("cross", RED, "D")):
        of = [f for f in worked.fills if f.purpose == purpose]
        if of:
            axes.scatter(
                [day_time(f.at) for f in of], [float(f.price) for f in of], s=18, color=colour,
                marker=sign, label=f"fill, {purpose}", zorder=3,
            )  # fmt: skip
    if worked.decision is not None:
        axes.axhline(
            float(worked.decision), color=PURPLE, linewidth=1, linestyle="--", label="decision"
        )
    axes.set_ylabel("price")
    time_axis(axes)
    _legend(axes)


def _legend(axes: "Axes") -> None:
    """Above the plot: it covers nothing there."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.1)


def _spreads(analysis: Analysis) -> list[Html]:
    rows: list[Sequence[Cell]] = []
    for purpose, found in analysis.aftermath.items():
        figures = [found.effective, *found.realised, *found.markout]
        rows.append([purpose, found.fills, number(found.qty), *map(_measured, figures)])
    resting = analysis.resting
    after = zip(("1 minute", "5 minutes"), analysis.reversion, strict=True)
    return [
        table(
            ["fills", "n", "qty", "effective", "realised 1 m", "5 m", "mark-out 1 m", "5 m"], rows
        ),
        facts(
            [
                ("resting quantity filled", percent(resting.probability)),
                ("resting children touched", f"{resting.touched} of {resting.children}"),
                *((f"reversion after {name}", _measured(m)) for name, m in after),
            ]
        ),
        paragraph(
            "Spreads and mark-outs in basis points of the mid at the fill, weighted by quantity; "
            "reversion: how far the mid came back after the last fill. Positive = cost."
        ),
    ]


def _measured(measure: Measure) -> str | Html:
    return known(bps(measure.bps), measure.reason)


def _estimate(worked: Worked, analysis: Analysis) -> list[Html]:
    found = analysis.comparison
    quality = found.quality
    score = f"{quality.score:.0f} ({quality.grade})" if quality.score is not None else None
    parts = worked.estimate.parts.items() if worked.estimate is not None else ()
    return [
        facts(
            [
                ("expected", known(bps(found.expected_bps), found.reason)),
                ("standard deviation", known(number(found.sd_bps, 2), found.reason)),
                ("realised, without fees", known(bps(found.realised_bps), found.reason)),
                ("realised − expected", known(bps(found.error_bps), found.reason)),
                ("quality score", known(score, quality.reason)),
                *((name.removesuffix("_bps"), bps(value)) for name, value in parts),
            ]
        ),
        paragraph(
            "The score is 100 × (1 − Φ(z)), z = (realised − expected) / standard deviation. "
            "One order says almost nothing: under a right model every score is equally likely."
        ),
    ]
