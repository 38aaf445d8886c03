"""Pages: whole, self-contained, escaped, the same for the same records."""

import re
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from app.domain.tca.analysis import analyse, line
from app.domain.tca.day import Day, dearest
from app.domain.tca.summary import grouped, summary
from app.reports import Html, daily_page, facts, order_page, page, summary_page, table
from app.reports.page import Section
from tests.domain.tasks import OPEN
from tests.reports.records import worked

D = Decimal
NASTY = "<img src=x onerror=alert(1)>&\"' $\\frac{1$ ☃"

VOID = {"meta", "br", "hr", "img"}


class Nesting(HTMLParser):
    """Every tag that opens closes in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(text: str) -> Nesting:
    """A page that is whole and asks nobody for anything."""
    parsed = Nesting()
    parsed.feed(text)
    assert parsed.open == []
    assert {"script", "img", "link", "iframe", "object"}.isdisjoint(parsed.seen)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(drawing)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "an id is used once"
    used = re.findall(r'(?:xlink:href="#|url\(#)([\w-]+)', text)
    assert set(used) <= set(ids), "every reference leads somewhere"
    outside = re.findall(r"https?://[^\s\"'<]+", text)
    assert all(found.startswith("http://www.w3.org/") for found in outside)
    return parsed


def order(**over: Any) -> str:
    made = worked(**over)
    return order_page(made, analyse(made), [(OPEN, D(300)), (OPEN + 60_000_000, D(600))])


def many(**over: Any) -> str:
    of = [worked(i, done=9 + i % 4, **{"algo": ("twap", "vwap")[i % 2], **over}) for i in range(12)]
    lines = [line(w, analyse(w)) for w in of]
    return summary_page(lines, summary(lines), grouped(lines, "strategy"), "strategy")


def day(**over: Any) -> str:
    lines = [line(w, analyse(w)) for w in (worked(1, **over), worked(2, done=3, **over))]
    made = Day(
        "2026-01-05", 2, {"filled": 1, "canceled": 1}, D("0.5"), None, None, None, summary(lines),
        grouped(lines, "algo"), dearest(lines, 10), [("critical", "overfill", 1)],
    )  # fmt: skip
    return daily_page(made)


PAGES: dict[str, Callable[..., str]] = {"order": order, "many": many, "day": day}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_the_same_again(name: str) -> None:
    first = PAGES[name]()
    parsed = checked(first)
    assert parsed.seen.count("svg") == {"order": 3, "many": 2, "day": 0}[name]
    assert PAGES[name]() == first


@pytest.mark.parametrize("name", PAGES)
def test_what_users_wrote_stays_text(name: str) -> None:
    text = PAGES[name](strategy=NASTY, symbol=NASTY, client_order_id=NASTY, algo=NASTY)
    checked(text)
    assert "<img" not in text
    assert "&lt;img" in text


def test_an_order_that_never_began_has_a_page() -> None:
    text = order(children=0, decision=None, market=None, estimate=None, qty=D(100))
    assert checked(text).seen.count("svg") == 1
    for words in ("Nothing was sent.", "no quote at acceptance", "no estimate was kept"):
        assert words in text


def test_figures_are_those_of_the_analysis() -> None:
    made = worked(4, done=7)
    found, text = analyse(made), order(seed=4, done=7)
    for part in (found.shortfall.opportunity, found.shortfall.total, found.shortfall.delay):
        assert f"{part.bps:+,.2f}" in text
    assert f"{found.comparison.quality.score:.0f} ({found.comparison.quality.grade})" in text


def test_parts_escape_unless_they_are_html() -> None:
    bold = Html("<b>1</b>")
    assert "<td>&lt;b&gt;</td>" in table(["a"], [["<b>"]])
    assert bold in table(["a", "b"], [[1, bold]])
    assert "nothing" in table(["a"], [])
    assert "–" in facts([("a", None)])
    assert "<h2>&lt;x&gt;</h2>" in page("t", "s", [Section("<x>", [bold])])


def test_a_dollar_in_a_name_begins_no_formula() -> None:
    checked(many(strategy="$\\frac{1$"))
