"""Every fault that is planted is found and named; what is clean gives no finding."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.instant import HOUR
from app.tapes.findings import SEVERITIES, Finding, Severity
from app.tapes.importing import Outcome, Wish
from tests.tapes.made import Bar, Style, bars, imported, planted, sessions, split, write

Change = Callable[[Bar], Bar | list[Bar]]
MIDDAY = 500
"""A bar in the second session, away from open and close."""


def found(rows: list[Bar], tmp_path: Path, **given: object) -> list[Finding]:
    return list(outcome(rows, tmp_path, **given).findings)


def outcome(rows: list[Bar], tmp_path: Path, **given: object) -> Outcome:
    path = write(tmp_path / "XYZ.csv", rows)
    return imported(tmp_path / "store", path, wish=Wish("made", "made", dry_run=True), **given)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_clean_gives_no_finding(seed: int, tmp_path: Path) -> None:
    assert found(bars("2024-03-01", "2024-03-15", seed=seed), tmp_path) == []


@pytest.mark.parametrize("seed", range(3))
def test_extended_hours_are_a_note_and_nothing_else(seed: int, tmp_path: Path) -> None:
    rows = bars(seed=seed, extended=True)
    assert {f.name for f in found(rows, tmp_path)} == {"outside_sessions"}


ROWS: dict[str, Change] = {
    "negative_volume": lambda bar: replace(bar, volume=-bar.volume),
    "no_price": lambda bar: replace(bar, low=0.0),
    "price_outside_bar": lambda bar: replace(bar, close=bar.high + 0.5),
    "absurd_volume": lambda bar: replace(bar, volume=2**31 - 1),
    "volume_spike": lambda bar: replace(bar, volume=bar.volume * 400),
    "zero_volume_move": lambda bar: replace(bar, volume=0, high=bar.high + 0.2),
    "duplicate_time": lambda bar: [bar, bar],
    "time_backwards": lambda bar: bar,
    "zero_volume": lambda bar: bar,
}


@pytest.mark.parametrize("name", [n for n in ROWS if n not in ("time_backwards", "zero_volume")])
def test_a_planted_row_is_found_and_named(name: str, tmp_path: Path) -> None:
    rows = planted(bars(), MIDDAY, ROWS[name])
    (only,) = found(rows, tmp_path)
    severity, done = SEVERITIES[name]
    assert (only.name, only.severity, only.done, only.count) == (name, severity, done, 1)
    assert only.day == "2024-03-05"
    assert only.example


def test_an_empty_bar_that_stands_still_is_a_note(tmp_path: Path) -> None:
    rows = bars()
    close = rows[MIDDAY - 1].close
    still = Bar(rows[MIDDAY].at, close, close, close, close, 0)
    (only,) = found(planted(rows, MIDDAY, lambda bar: still), tmp_path)
    assert (only.name, only.severity) == ("zero_volume", Severity.NOTE)


def test_rows_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    rows = bars()
    rows[MIDDAY], rows[MIDDAY + 1] = rows[MIDDAY + 1], rows[MIDDAY]
    done = outcome(rows, tmp_path)
    assert [f.name for f in done.findings] == ["time_backwards"]
    assert done.rows == len(rows)


@pytest.mark.parametrize("text", ["abc", "", "nan"])
def test_what_is_no_number_is_found_with_its_line(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "XYZ.csv", bars())
    lines = path.read_text().splitlines()
    cells = lines[MIDDAY].split(",")
    lines[MIDDAY] = ",".join([*cells[:4], text, cells[5]])
    path.write_text("\n".join(lines))
    done = imported(tmp_path / "store", path, wish=Wish("made", "made", dry_run=True))
    (only,) = done.findings
    assert only.name == "unreadable"
    assert f"line {MIDDAY + 1}" in only.example


def test_a_time_that_is_none_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "XYZ.csv", bars())
    lines = path.read_text().splitlines()
    lines[MIDDAY] = lines[MIDDAY].replace("2024-", "2024/")
    path.write_text("\n".join(lines))
    done = imported(tmp_path / "store", path, wish=Wish("made", "made", dry_run=True))
    assert [(f.name, f.day) for f in done.findings] == [("unreadable", None)]


def test_a_gap_is_found_and_not_the_pauses_of_a_quiet_symbol(tmp_path: Path) -> None:
    rows = bars()
    torn = rows[:MIDDAY] + rows[MIDDAY + 45 :]
    (only,) = found(torn, tmp_path)
    assert (only.name, only.day) == ("gap", "2024-03-05")
    assert "45 min" in only.example
    quiet = [bar for i, bar in enumerate(rows) if i % 12 == 0 or i % 390 in (0, 389)]
    assert found(quiet, tmp_path, bar_length=60) == []
    holed = [bar for bar in quiet if not rows[MIDDAY].at <= bar.at < rows[MIDDAY + 90].at]
    (only,) = found(holed, tmp_path, bar_length=60)
    assert (only.name, only.day) == ("gap", "2024-03-05")


def test_half_a_session_missing_is_an_error(tmp_path: Path) -> None:
    rows = bars()
    first = 390 + 100
    (only,) = found(rows[:first] + rows[first + 200 :], tmp_path)
    assert (only.name, only.severity) == ("half_missing", Severity.ERROR)


def test_a_missing_session_is_found(tmp_path: Path) -> None:
    rows = bars()
    (only,) = found(rows[:390] + rows[780:], tmp_path)
    assert (only.name, only.day) == ("missing_session", "2024-03-05")


def test_a_half_day_is_told(tmp_path: Path) -> None:
    names = [(f.name, f.day, f.severity) for f in found(bars("2024-11-25", "2024-12-03"), tmp_path)]
    assert names == [("half_day", "2024-11-29", Severity.NOTE)]


def test_a_row_on_a_closed_day_is_dropped(tmp_path: Path) -> None:
    rows = bars("2024-03-07", "2024-03-12")
    saturday = sessions("2024-03-08", "2024-03-08")[0].opens_at + 24 * HOUR
    (only,) = found([*rows, replace(rows[-1], at=saturday)], tmp_path)[:1]
    assert (only.name, only.day) in (("closed_day", "2024-03-09"), ("time_backwards", "2024-03-09"))
    placed = sorted([*rows, replace(rows[-1], at=saturday)], key=lambda bar: bar.at)
    (only,) = found(placed, tmp_path)
    assert (only.name, only.day) == ("closed_day", "2024-03-09")


@pytest.mark.parametrize("hours", [-5, -4, -1, 1, 4, 5])
def test_shifted_hours_are_named(hours: int, tmp_path: Path) -> None:
    moved = [replace(bar, at=bar.at + hours * HOUR) for bar in bars()]
    given = {"calendar": "XNYS", "stamp": "start"}
    shifted = [f for f in found(moved, tmp_path, **given) if f.name == "shifted"]
    assert len(shifted) == 1
    assert f"looks shifted by {hours:+d} h" in shifted[0].example
    assert outcome(moved, tmp_path, **given).result == "checked"
    path = tmp_path / "XYZ.csv"
    done = imported(tmp_path / "store", path, wish=Wish("made", "made"), **given)
    assert done.result == "refused"
    assert not (tmp_path / "store" / "made").exists()


def test_only_the_days_after_the_clocks_changed_are_shifted(tmp_path: Path) -> None:
    change = sessions("2024-03-11", "2024-03-11")[0].opens_at
    rows = [
        replace(bar, at=bar.at + HOUR) if bar.at >= change else bar
        for bar in bars("2024-03-04", "2024-03-15")
    ]
    shifted = [f for f in found(rows, tmp_path) if f.name == "shifted"]
    assert [(f.day, f.count) for f in shifted] == [("2024-03-11", 5)]


@pytest.mark.parametrize("extended", [False, True], ids=["regular", "extended"])
@pytest.mark.parametrize(
    ("written", "told", "name"),
    [("end", "start", "stamped_at_end"), ("start", "end", "stamped_at_start")],
)
def test_bars_read_at_the_wrong_end_are_named(
    written: str, told: str, name: str, extended: bool, tmp_path: Path
) -> None:
    path = write(tmp_path / "XYZ.csv", bars(extended=extended), Style(stamp=written))
    wish = Wish("made", "made")
    done = imported(tmp_path / "store", path, wish=wish, stamp=told)
    assert done.result == "refused"
    assert name in {f.name for f in done.findings}


@pytest.mark.parametrize(("ratio", "says"), [(7, "7:1"), (2, "2:1")])
def test_a_split_is_found_by_its_prices(ratio: int, says: str, tmp_path: Path) -> None:
    rows = split(bars(), sessions("2024-03-06", "2024-03-06")[0], ratio)
    (only,) = found(rows, tmp_path)
    assert (only.name, only.day) == ("looks_split", "2024-03-06")
    assert says in only.example
