"""A page and its parts. Every text is escaped; what is HTML already says so by its type."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


class Html(str):
    """Markup that is safe to stand in a page as it is."""

    __slots__ = ()


Cell = str | int | Html | None
"""None is shown as a dash: nothing is known."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: Sequence[Html]


def page(title: str, subtitle: str, sections: Iterable[Section], *, foot: str = "") -> str:
    """A whole document: styles inside, no scripts, for screens dark and light and for paper."""
    body = "".join(_section(section) for section in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>{body}"
        f"<footer>{escape(foot)}</footer></main></body></html>"
    )


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{''.join(section.parts)}</section>"


def cell(value: Cell) -> Html:
    """A value as it may stand in a page."""
    if isinstance(value, Html):
        return value
    return Html(escape(str(value)) if value is not None else '<span class="none">–</span>')


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: int = 1, total: bool = False
) -> Html:
    """Columns from number `right` on hold figures. `total` sets the last row apart."""
    head = "".join(f"<th{_aligned(i, right)}>{cell(c)}</th>" for i, c in enumerate(columns))
    found = [
        "".join(f"<td{_aligned(i, right)}>{cell(c)}</td>" for i, c in enumerate(row))
        for row in rows
    ]
    lines = [f"<tr>{line}</tr>" for line in found]
    if total and lines:
        lines[-1] = f'<tr class="total">{found[-1]}</tr>'
    if not lines:
        lines = [f'<tr><td colspan="{len(columns)}" class="none">nothing</td></tr>']
    return Html(
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _aligned(column: int, right: int) -> str:
    return ' class="n"' if column >= right else ""


def facts(pairs: Iterable[tuple[str, Cell]]) -> Html:
    """Names with their values, side by side."""
    items = "".join(f"<div><dt>{cell(name)}</dt><dd>{cell(v)}</dd></div>" for name, v in pairs)
    return Html(f"<dl>{items}</dl>")


def paragraph(text: str) -> Html:
    """Words between figures."""
    return Html(f"<p>{escape(text)}</p>")


_STYLE = """
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);
--soft:color-mix(in srgb,currentColor 62%,transparent)}
*{box-sizing:border-box}
body{margin:0;background:Canvas;color:CanvasText;
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:2.2rem 0 .6rem;padding-bottom:.25rem;
border-bottom:1px solid var(--line)}
header p,footer,figcaption,.note{color:var(--soft)}
header p{margin:.2rem 0 0;overflow-wrap:anywhere}
p{margin:.5rem 0;max-width:48rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));
gap:.7rem 1.2rem;margin:.4rem 0}
dt{color:var(--soft);font-size:.8rem}
dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:.8rem;vertical-align:bottom}
.n{text-align:right;white-space:nowrap}
.total td{font-weight:600;border-top:2px solid var(--line)}
.none{color:var(--soft)}
figure{margin:1rem 0}
figure svg{width:100%;height:auto;display:block}
figcaption{font-size:.85rem;margin-top:.3rem;max-width:48rem}
footer{margin-top:2.5rem;font-size:.8rem}
@media print{main{max-width:none;padding:0}section{break-inside:avoid-page}
body{font-size:10.5pt;background:#fff;color:#000}}
"""
