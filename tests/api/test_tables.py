"""Cells that a spreadsheet would take for a formula are text; numbers stay numbers."""

import csv
import io

import pytest

from app.api.tables import csv_answer

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "-2+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    '=HYPERLINK("http://x")',
    "-",
    "--1",
    "+5",
    "-1e5",
    "\uff1d1+1",
    "\uff0b1",
)
NUMBERS = ("-1", "-0.25", "12", "0", "-.5")


def cell(value: str) -> str:
    body = bytes(csv_answer([{"strategy": value, "next": "x"}], "t.csv").body).decode()
    [row] = csv.DictReader(io.StringIO(body, newline=""))
    assert row["next"] == "x", "the columns are shifted"
    return row["strategy"]


@pytest.mark.parametrize("value", FORMULAS)
def test_no_text_is_a_formula(value: str) -> None:
    assert cell(value) == f"'{value}".replace("\r", " ")


@pytest.mark.parametrize("value", NUMBERS)
def test_a_number_stays_one(value: str) -> None:
    assert cell(value) == value


@pytest.mark.parametrize("value", ["a=1", 'a "b", c', "two\nlines", "'x", ""])
def test_other_text_stays_as_it_is(value: str) -> None:
    assert cell(value) == value
