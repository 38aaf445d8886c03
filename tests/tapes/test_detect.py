"""Layouts found out from files: what is stated is right, and what cannot be told is asked."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.domain.instant import DAY, MINUTE
from app.tapes.detect import detect
from app.tapes.errors import Ambiguous, TapeError
from app.tapes.reading.layout import Stamp
from app.tapes.sources import open_source
from app.tapes.stated import Given
from app.tapes.table_source import symbol_of
from tests.feeds.written import lean
from tests.tapes.made import CALENDAR, NEW_YORK, PLAIN, Style, bars, write, write_parquet

UTC = ZoneInfo("UTC")
NAIVE = "%Y-%m-%d %H:%M:%S"
ODD = ("volume", "close", "time", "low", "open", "high")

STYLES = {
    "plain": PLAIN,
    "end-stamped": Style(stamp="end"),
    "local": Style(zone=NEW_YORK, form=NAIVE),
    "local, end, newest first": Style(zone=NEW_YORK, form=NAIVE, stamp="end", newest_first=True),
    "naive UTC": Style(form=NAIVE),
    "semicolons": Style(separator=";"),
    "tabs, epoch ms": Style(separator="\t", form="epoch_ms"),
    "epoch s": Style(form="epoch_s"),
    "other order": Style(header=ODD, order=ODD),
    "no header": Style(header=None, form="%Y%m%d %H%M%S", separator=";"),
    "no header, other order, end": Style(
        header=None, order=ODD, form="%Y%m%d %H%M%S", stamp="end", newest_first=True
    ),
    "days first": Style(zone=NEW_YORK, form="%d/%m/%Y %H:%M"),
}


@pytest.mark.parametrize("extended", [False, True], ids=["regular", "extended"])
@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_what_is_stated_is_how_it_was_written(style: Style, extended: bool, tmp_path: Path) -> None:
    rows = bars("2024-03-18", "2024-03-22", extended=extended)
    found = detect(write(tmp_path / "XYZ.csv", rows, style), Given(), CALENDAR)
    layout = found.layout
    assert layout.separator == style.separator
    assert layout.header == (style.header is not None)
    assert layout.stamp is Stamp(style.stamp)
    assert layout.bar_length == MINUTE
    assert layout.descending == style.newest_first
    assert found.traits.calendar == "XNYS"
    if style.zone is NEW_YORK:
        assert layout.timezone == NEW_YORK
    else:
        assert layout.timezone == UTC
    names = style.header or [f"column {i}" for i in range(1, 7)]
    written = dict(zip(style.order, names, strict=True))
    assert {f: layout.columns[f] for f in written} == written
    assert all(s.why for s in found.statements), "each guess says what speaks for it"


def test_parquet_says_more_by_itself(tmp_path: Path) -> None:
    found = detect(write_parquet(tmp_path / "XYZ.parquet", bars()), Given(), CALENDAR)
    assert found.layout.columns["time"] == "ts"
    assert found.layout.stamp is Stamp.START


def asked(path: Path, **given: object) -> str:
    with pytest.raises(Ambiguous) as asking:
        detect(path, Given(**given), CALENDAR)  # type: ignore[arg-type]
    return " ".join(question.option for question in asking.value.questions)


def test_a_stamp_that_cannot_be_told_is_asked(tmp_path: Path) -> None:
    flat = [replace(bar, volume=100) for bar in bars(extended=True)]
    path = write(tmp_path / "XYZ.csv", flat)
    assert "--stamp" in asked(path)
    assert detect(path, Given(stamp="end"), CALENDAR).layout.stamp is Stamp.END


def test_a_zone_that_cannot_be_told_is_asked(tmp_path: Path) -> None:
    # Between 15:00 and 16:00 a row is inside of the session read as UTC and as New York's.
    hour = [bar for bar in bars() if bar.at % DAY // (60 * MINUTE) == 15]
    path = write(tmp_path / "XYZ.csv", hour, Style(form=NAIVE, zone=UTC))
    assert "--timezone" in asked(path)


def test_hours_of_nowhere_are_asked_with_what_they_look_like(tmp_path: Path) -> None:
    wrong = [replace(bar, at=bar.at + 9 * 60 * MINUTE) for bar in bars()]
    path = write(tmp_path / "XYZ.csv", wrong)
    with pytest.raises(Ambiguous, match=r"look shifted by \+9 h"):
        detect(path, Given(), CALENDAR)


def test_day_or_month_first_is_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "XYZ.csv", bars(), Style(form="%d/%m/%Y %H:%M", zone=NEW_YORK))
    assert "--time-format" in asked(path)


def test_whole_prices_are_asked_for_their_scale(tmp_path: Path) -> None:
    scaled = write(tmp_path / "XYZ.csv", bars()).read_text().replace(".", "")
    (tmp_path / "XYZ.csv").write_text(scaled)
    assert "--price-scale" in asked(tmp_path / "XYZ.csv")
    found = detect(tmp_path / "XYZ.csv", Given(price_scale=100), CALENDAR)
    assert found.layout.price_scale == 100


def test_columns_of_no_table_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "XYZ.csv"
    path.write_text("time,foo\n2024-03-04T14:30:00Z,1\n")
    assert "layout" in asked(path)


def test_a_header_that_lies_is_found(tmp_path: Path) -> None:
    swapped = ("time", "open", "low", "high", "close", "volume")
    path = write(tmp_path / "XYZ.csv", bars(), Style(header=swapped))
    assert "layout" in asked(path)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("AAPL_1min.csv", "AAPL"), ("msft.csv", "msft"), ("SPY-2024-bars.csv", "SPY")],
)
def test_the_symbol_is_in_the_files_name(name: str, symbol: str, tmp_path: Path) -> None:
    assert symbol_of(write(tmp_path / name, bars())) == symbol


@pytest.mark.parametrize("name", ["2024.csv", "nt-spy-minute.csv"])
def test_or_it_is_asked(name: str, tmp_path: Path) -> None:
    with pytest.raises(Ambiguous, match="--symbol"):
        symbol_of(write(tmp_path / name, bars()))


def test_a_lean_tree_of_several_resolutions_asks_which(tmp_path: Path) -> None:
    for resolution in ("minute", "second"):
        lean(tmp_path, resolution, "XYZ", "20240304", "trade", [(34_200_000, 1, 1, 1, 1, 1)])
    with pytest.raises(Ambiguous, match="--resolution"):
        open_source([tmp_path], Given(), CALENDAR)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "empty"), (b"time,open\n", "no rows"), (b"\xff\xfe\x00junk\n\x01", "XYZ")],
)
def test_what_is_no_table_is_told(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "XYZ.csv"
    path.write_bytes(content)
    with pytest.raises(TapeError, match=says):
        detect(path, Given(), CALENDAR)
