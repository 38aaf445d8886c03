"""Plots as SVG that stands in the page itself and takes its colour from it."""

import io
import re
import threading
import warnings
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from app.reports.page import Html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#123454"
"""Written for the page's own text colour, and put back to it in the drawing."""

BLUE, ORANGE, GREEN, RED, PURPLE = "#3d86c6", "#d97f2e", "#3f9e72", "#cc5452", "#8a6fc0"
"""Seen on dark and light alike."""

_DRAWING = threading.Lock()
"""What matplotlib is set to holds for the whole process."""

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "axes.formatter.useoffset": False,
    # Names are the users': a dollar in one begins no formula.
    "text.parse_math": False,
}


def chart(draw: Callable[["Axes"], None], *, caption: str, name: str, height: float = 2.7) -> Html:
    """A plot as wide as the page. `draw` is handed the axes; `name` tells it from the page's
    other plots. Draws the same bytes for the same data."""
    # Only who asks for a page pays for matplotlib: half a second and 60 MB.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with (
        _DRAWING,
        mpl.rc_context(_SETTINGS | {"svg.hashsalt": name}),
        warnings.catch_warnings(),
    ):
        # A letter that its font has not: the page's own font will.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure = Figure(figsize=(8.6, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return Html(
        f"<figure>{_inline(out.getvalue(), name, caption)}<figcaption>{escape(caption)}"
        "</figcaption></figure>"
    )


def time_axis(axes: "Axes") -> None:
    """Moments along the bottom, as few words as tell them apart."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # Half typed: matplotlib says what it takes, and not that it returns nothing.
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def _inline(svg: str, name: str, caption: str) -> str:
    """The drawing without prologue, in the page's colour; ids that nobody refers to go."""
    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = drawing.replace(INK, "currentColor")
    drawing = drawing.replace("'DejaVu Sans', sans-serif", "inherit").replace(
        "'DejaVu Sans'", "inherit"
    )
    used = set(re.findall(r"#([\w-]+)", drawing))
    mark = re.sub(r"\W", "-", name)

    def own(found: re.Match[str]) -> str:
        return f' id="{mark}-{found[1]}"' if found[1] in used else ""

    drawing = re.sub(r' id="([^"]+)"', own, drawing)
    drawing = re.sub(r'(xlink:href="|url\()#', rf"\1#{mark}-", drawing)
    drawing = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawing, count=1)
    drawing = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawing, count=1)
    return drawing.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
