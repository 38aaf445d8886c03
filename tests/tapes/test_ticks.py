"""Trades and quotes: what is wrong with them, and how they come back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from app.domain.instant import MINUTE, SECOND, rfc3339
from app.tapes.importing import Outcome, Wish
from app.tapes.store import Stored, TapeStore
from tests.feeds.written import ask, bid, lean, trade
from tests.tapes.made import imported, sessions

(SESSION,) = sessions("2024-03-05", "2024-03-05")
Quote = list[float]


def quotes() -> list[Quote]:
    """A quote every ten seconds of a session."""
    rng = np.random.default_rng(3)
    middle = 5_000 + np.cumsum(rng.integers(-1, 2, 2_340))
    return [[(m - 1) / 100, (m + 1) / 100, 300.0, 400.0] for m in middle.tolist()]


def write(path: Path, rows: Sequence[Sequence[float]], names: str, step: int) -> Path:
    lines = [f"time,{names}"]
    for i, row in enumerate(rows):
        lines.append(",".join([rfc3339(SESSION.opens_at + i * step), *map(str, row)]))
    path.write_text("\n".join(lines) + "\n")
    return path


def from_quotes(tmp_path: Path, rows: Sequence[Quote]) -> Outcome:
    path = write(tmp_path / "XYZ.csv", rows, "bid,ask,bid_size,ask_size", 10 * SECOND)
    return imported(tmp_path / "store", path, wish=Wish("made", "made"))


def test_clean_quotes_give_no_finding(tmp_path: Path) -> None:
    done = from_quotes(tmp_path, quotes())
    assert (done.result, done.findings) == ("imported", ())
    tape = TapeStore(tmp_path / "store").open("made", "XYZ").tape("2024-03-05")
    assert len(tape.quote_at) == 2_340
    assert len(tape.trade_at) == 0


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("crossed_quotes", 0, 99.0),
        ("one_sided_quotes", 3, 0.0),
        ("one_sided_quotes", 0, 0.0),
        ("unreadable", 1, float("nan")),
    ],
)
def test_a_planted_quote_is_found_and_dropped(
    name: str, index: int, value: float, tmp_path: Path
) -> None:
    rows = quotes()
    rows[1_000][index] = value
    (only,) = from_quotes(tmp_path, rows).findings
    assert (only.name, only.count) == (name, 1)
    assert "line 1002" in only.example
    tape = TapeStore(tmp_path / "store").open("made", "XYZ").tape("2024-03-05")
    assert len(tape.quote_at) == 2_339


def test_a_locked_book_is_told_and_kept(tmp_path: Path) -> None:
    rows = quotes()
    rows[1_000][0] = rows[1_000][1]
    (only,) = from_quotes(tmp_path, rows).findings
    assert only.name == "locked_quotes"
    tape = TapeStore(tmp_path / "store").open("made", "XYZ").tape("2024-03-05")
    assert len(tape.quote_at) == 2_340


def from_trades(tmp_path: Path, change: Sequence[float] | None) -> tuple[Outcome, Stored]:
    rng = np.random.default_rng(4)
    rows = [[50 + float(rng.integers(-3, 4)) / 100, 100.0] for _ in range(4_000)]
    if change is not None:
        rows[2_000] = list(change)
    path = write(tmp_path / "XYZ.csv", rows, "price,size", 5 * SECOND)
    done = imported(tmp_path / "store", path, wish=Wish("made", "made"))
    return done, TapeStore(tmp_path / "store").open("made", "XYZ")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ((50.0, -100.0), "negative_volume"),
        ((0.0, 100.0), "no_price"),
        ((50.0, 0.0), "no_size"),
        ((50.0, 1e9), "absurd_volume"),
    ],
)
def test_a_planted_trade_is_found_and_dropped(
    change: Sequence[float], name: str, tmp_path: Path
) -> None:
    done, stored = from_trades(tmp_path, change)
    assert [f.name for f in done.findings if f.name != "gap"] == [name]
    assert stored.bins("2024-03-05", MINUTE).sum() == 100 * 3_999


def test_clean_trades_give_no_finding_but_the_end_of_the_file(tmp_path: Path) -> None:
    done, stored = from_trades(tmp_path, None)
    # Four thousand trades every five seconds end before the close.
    assert [f.name for f in done.findings] == ["gap"]
    assert stored.manifest.quotes == "assumed"


def ticks(root: Path, *, crossed: bool = False) -> Path:
    opens = 34_200_000
    quoted = [bid(opens - 1_000, 500_000, 300), ask(opens - 900, 500_200, 400)]
    traded = []
    for i in range(1, 23_400, 20):
        ms = opens + i * 1_000
        quoted += [bid(ms, 500_000 + i % 3 * 100, 300), ask(ms + 1, 500_300 + i % 2 * 100, 500)]
        traded.append(trade(ms + 500, 500_200, 100))
    if crossed:
        quoted.insert(1_000, bid(quoted[999][0], 600_000, 100))
    traded.append(trade(57_600_500, 500_200, 90_000))
    traded.insert(500, trade(traded[499][0], 700_000, 777))
    lean(root, "tick", "xyz", "20240305", "quote", quoted)
    lean(root, "tick", "xyz", "20240305", "trade", traded)
    return root


def test_lean_ticks_keep_what_is_off_the_market_apart(tmp_path: Path) -> None:
    done = imported(tmp_path / "store", ticks(tmp_path), wish=Wish("made", "made"))
    assert done.result == "imported"
    assert {f.name: f.count for f in done.findings} == {"off_market": 1, "outside_sessions": 1}
    stored = TapeStore(tmp_path / "store").open("made", "XYZ")
    tape = stored.tape("2024-03-05")
    assert tape.trade_price.max() < 700_000, "no order met that print"
    assert tape.dropped == {"off_market": 1}
    volume = stored.bins("2024-03-05").sum()
    assert volume == 1_170 * 100 + 777, "but it is volume"
    assert stored.manifest.closing_cross == "print_after_close"
    assert stored.entries[0].high < 700_000


def test_crossed_updates_are_dropped_and_told(tmp_path: Path) -> None:
    done = imported(tmp_path / "store", ticks(tmp_path, crossed=True), wish=Wish("made", "made"))
    assert "crossed_quotes" in {f.name for f in done.findings}


def test_a_broken_lean_file_is_refused_by_name(tmp_path: Path) -> None:
    ticks(tmp_path)
    lean(tmp_path, "tick", "xyz", "20240306", "quote", [("x", 1, 1, 1, 1, "P", 1, 0)])
    lean(tmp_path, "tick", "xyz", "20240306", "trade", [trade(34_200_000, 1, 1)])
    wish = Wish("made", "made")
    done = imported(tmp_path / "store", tmp_path, wish=wish)
    assert done.result == "refused"
    (bad,) = [f for f in done.findings if f.name == "file_refused"]
    assert "20240306_quote.zip, line 1" in bad.example
    anyway = Wish("made", "made", anyway=True)
    assert imported(tmp_path / "store", tmp_path, wish=anyway).sessions == 1
