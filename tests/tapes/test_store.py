"""The store: written at once, read without parsing, and never looking ahead."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.instant import MINUTE
from app.domain.volume import BIN
from app.feeds.replay import open_feed
from app.ports import FeedError
from app.tapes.check import check_symbol
from app.tapes.detect_time import Hours
from app.tapes.errors import TapeError
from app.tapes.importing import Wish
from app.tapes.reading.layout import read_declaration
from app.tapes.reading.table import table_records
from app.tapes.statistics import Estimate, mean_daily_volume, trailing_curve, volatility
from app.tapes.store import TapeStore
from tests.tapes.made import CALENDAR, Style, bars, imported, sessions, split, stored, write

WISH = Wish("made", "made")
HOURS = Hours("XNYS", CALENDAR)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_same_files_again_change_nothing(tmp_path: Path) -> None:
    path, root = write(tmp_path / "XYZ.csv", bars()), tmp_path / "store"
    assert imported(root, path, wish=WISH).result == "imported"
    before = files(root)
    assert imported(root, path, wish=WISH).result == "unchanged"
    assert imported(root, path, wish=replace(WISH, replace=True)).result == "unchanged"
    assert files(root) == before


def test_other_files_are_refused_unless_they_are_to_replace(tmp_path: Path) -> None:
    root = tmp_path / "store"
    imported(root, write(tmp_path / "XYZ.csv", bars()), wish=WISH)
    other = write(tmp_path / "XYZ.csv", bars(seed=2))
    before = files(root)
    with pytest.raises(TapeError, match="--replace"):
        imported(root, other, wish=WISH)
    assert files(root) == before
    assert imported(root, other, wish=replace(WISH, replace=True)).result == "imported"
    assert len(files(root)) == len(before), "nothing of the old one is left"
    assert files(root) != before


def test_the_same_file_read_in_another_way_is_another_import(tmp_path: Path) -> None:
    root, path = tmp_path / "store", write(tmp_path / "XYZ.csv", bars())
    imported(root, path, wish=WISH)
    with pytest.raises(TapeError, match="--replace"):
        imported(root, path, wish=WISH, adjusted="adjusted")
    with pytest.raises(TapeError, match="--replace"):
        imported(root, path, wish=replace(WISH, anyway=True), stamp="end")
    assert imported(root, path, wish=WISH, stamp="start").result == "unchanged", "as it was read"


def test_a_dry_run_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "XYZ.csv", bars())
    done = imported(tmp_path / "store", path, wish=replace(WISH, dry_run=True))
    assert (done.result, done.sessions) == ("checked", 5)
    assert files(tmp_path / "store") == {}


def test_what_a_killed_import_left_does_no_harm(tmp_path: Path) -> None:
    root = tmp_path / "store"
    known = stored(tmp_path, bars())
    left = known.folder.with_name("XYZ.99999-abcdef")
    shutil.copytree(known.folder, left)
    shutil.copytree(known.folder, root / "made" / ".XYZ.99999-abcdef.part")
    os.utime(root / "made" / ".XYZ.99999-abcdef.part", (0, 0))
    assert TapeStore(root).symbols("made") == ["XYZ"]
    assert TapeStore(root).open("made", "XYZ").entries == known.entries
    other = write(tmp_path / "XYZ.csv", bars(seed=2))
    imported(root, other, wish=replace(WISH, replace=True))
    assert not left.exists()
    assert not list((root / "made").glob("*.part"))


def test_vendors_and_kinds_are_not_mixed(tmp_path: Path) -> None:
    root = tmp_path / "store"
    imported(root, write(tmp_path / "XYZ.csv", bars()), wish=WISH)
    other = write(tmp_path / "ABC.csv", bars(seed=2))
    with pytest.raises(TapeError, match="vendor"):
        imported(root, other, wish=Wish("made", "somebody else"))
    five = [bar for bar in bars() if bar.at % (5 * MINUTE) == 0]
    with pytest.raises(TapeError, match="bar_seconds"):
        imported(root, write(tmp_path / "FIVE.csv", five), wish=WISH)


def test_a_tape_of_the_store_is_that_of_the_file(tmp_path: Path) -> None:
    rows = bars(extended=True)
    known = stored(tmp_path, rows)
    toml = tmp_path / "layout.toml"
    toml.write_text(
        'calendar = "XNYS"\ntick = "0.01"\nlot = "1"\n[[table]]\nkind = "bars"\n'
        'columns = { time = "time", open = "open", high = "high", low = "low", close = "close",'
        ' volume = "volume" }\n[table.files]\nXYZ = "XYZ.csv"\n'
    )
    read_declaration(toml)
    records = table_records(toml, tmp_path, HOURS.source)
    assert tuple(records.stretches("XYZ")) == known.sessions
    for entry in known.entries:
        mine, theirs = known.session_tape(entry), records.tape("XYZ", entry.session)
        assert (mine.since, mine.until) == (theirs.since, theirs.until)
        for name in ("quote_at", "bid", "ask", "bid_size", "trade_at", "trade_price", "trade_size"):
            factor = theirs.price_scale // mine.price_scale if "_at" not in name else 1
            factor = factor if name in ("bid", "ask", "trade_price") else 1
            np.testing.assert_array_equal(getattr(mine, name) * factor, getattr(theirs, name))


def test_a_span_is_its_days_one_after_the_other(tmp_path: Path) -> None:
    known = stored(tmp_path, bars())
    whole = known.tape("2024-03-04", "2024-03-06")
    parts = [known.tape(day) for day in known.days[:3]]
    assert len(whole.trade_at) == sum(len(part.trade_at) for part in parts)
    assert whole.cum_volume[-1] == sum(int(part.cum_volume[-1]) for part in parts)
    with pytest.raises(TapeError, match="no session of 2024-03-09"):
        known.tape("2024-03-04", "2024-03-09")


def test_bins_are_what_the_bars_say(tmp_path: Path) -> None:
    rows = bars("2024-11-27", "2024-11-29")
    known = stored(tmp_path, rows)
    day = [bar for bar in rows if known.sessions[0].contains(bar.at)]
    expected = [sum(b.volume for b in day[i : i + 15]) for i in range(0, 390, 15)]
    assert known.bins("2024-11-27").tolist() == expected
    assert len(known.bins("2024-11-29")) == 14, "a half day"
    with pytest.raises(TapeError, match="not made of bars"):
        known.bins("2024-11-27", 90_000_000)


def test_a_curve_knows_the_days_before_only(tmp_path: Path) -> None:
    rows = bars("2024-03-04", "2024-03-22")
    known = stored(tmp_path / "a", rows)
    day = "2024-03-14"
    (today,) = sessions(day, day)
    future = [replace(b, volume=b.volume * 9 + 5, close=b.low) if b.at >= today.opens_at else b
              for b in rows]  # fmt: skip
    other = stored(tmp_path / "b", future)
    assert trailing_curve(known, day, 5) == trailing_curve(other, day, 5)
    assert mean_daily_volume(known, day, 5) == mean_daily_volume(other, day, 5)
    for estimate in Estimate:
        assert volatility(known, day, 5, estimate) == volatility(other, day, 5, estimate)
    assert trailing_curve(known, "2024-03-15", 5) != trailing_curve(other, "2024-03-15", 5)
    assert trailing_curve(known, "2024-03-04") is None


def test_a_curve_is_the_mean_of_shares(tmp_path: Path) -> None:
    known = stored(tmp_path, bars())
    curve = trailing_curve(known, "2024-03-07", 2)
    assert curve is not None
    assert curve.source == "history:2d"
    volumes = [known.bins(day, BIN) for day in ("2024-03-05", "2024-03-06")]
    shares = [volume / volume.sum() for volume in volumes]
    np.testing.assert_allclose(curve.shares, np.mean(shares, axis=0), rtol=1e-12)


def test_half_days_are_not_in_curve_or_mean(tmp_path: Path) -> None:
    known = stored(tmp_path, bars("2024-11-25", "2024-12-03"))
    assert "2024-11-29" in known.days
    curve = trailing_curve(known, "2024-12-03")
    assert curve is not None
    assert curve.source == "history:4d"
    full = [known.bins(day).sum() for day in known.days[:-1] if day != "2024-11-29"]
    assert mean_daily_volume(known, "2024-12-03") == int(np.mean(full))


def test_volatility_is_that_of_the_definition(tmp_path: Path) -> None:
    rows = bars("2024-03-04", "2024-03-22")
    known = stored(tmp_path, rows)
    closes = [[b for b in rows if s.contains(b.at)][-1].close for s in known.sessions]
    returns = np.diff(np.log(closes))
    found = volatility(known, "2024-04-01")
    assert found is not None
    assert found.daily == pytest.approx(np.std(returns, ddof=1), rel=1e-12)
    assert found.returns == len(returns)
    ranges = [
        np.log(max(b.high for b in day) / min(b.low for b in day)) ** 2
        for s in known.sessions
        if (day := [b for b in rows if s.contains(b.at)])
    ]
    other = volatility(known, "2024-04-01", estimate=Estimate.PARKINSON)
    assert other is not None
    assert other.daily == pytest.approx(np.sqrt(np.mean(ranges) / (4 * np.log(2))), rel=1e-12)


def test_a_split_nobody_told_is_left_out_and_said(tmp_path: Path) -> None:
    rows = bars("2024-03-04", "2024-03-15")
    first = sessions("2024-03-08", "2024-03-08")[0]
    whole = volatility(stored(tmp_path / "a", rows), "2024-03-18")
    torn = volatility(stored(tmp_path / "b", split(rows, first, 7)), "2024-03-18")
    assert whole is not None
    assert torn is not None
    assert torn.left_out == ("2024-03-08",)
    assert torn.returns == whole.returns - 1
    assert torn.daily < 2 * whole.daily


def test_a_known_split_is_taken_out_of_prices_and_volumes(tmp_path: Path) -> None:
    rows = bars("2024-03-04", "2024-03-15")
    first = sessions("2024-03-08", "2024-03-08")[0]
    whole = stored(tmp_path / "a", rows)
    torn = stored(tmp_path / "b", split(rows, first, 4))
    told = replace(torn, manifest=replace(torn.manifest, splits={"2024-03-08": 4.0}))
    expected, found = volatility(whole, "2024-03-18"), volatility(told, "2024-03-18")
    assert expected is not None
    assert found is not None
    assert found.adjusted == ("2024-03-08",)
    assert found.daily == pytest.approx(expected.daily, rel=0.05)
    before = mean_daily_volume(whole, "2024-03-18")
    assert before is not None
    after = mean_daily_volume(told, "2024-03-18")
    assert after is not None
    assert abs(after - 4 * before) <= 4, "counted in shares of after the split"


def test_damage_is_found(tmp_path: Path) -> None:
    known = stored(tmp_path, bars())
    assert check_symbol(known, HOURS) == []
    path = sorted(known.folder.glob("2024*.npy"))[1]
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    assert [f.name for f in check_symbol(known, HOURS)] == ["damaged"]
    path.unlink()
    assert [f.name for f in check_symbol(known, HOURS)] == ["damaged"]
    with pytest.raises(TapeError, match="cannot be read"):
        known.tape(known.days[1])


def test_columns_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    known = stored(tmp_path, bars())
    at = known.bars(known.entries[0]).bars.at
    assert not at.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        at[0] = 1


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    store = TapeStore(tmp_path / "store")
    assert store.datasets() == ()
    stored(tmp_path, bars())
    with pytest.raises(TapeError, match="there are: XYZ"):
        store.open("made", "ABC")
    for name in ("nowhere", "..", "../store/made", "made/../made"):
        with pytest.raises(TapeError, match="no dataset"):
            store.open(name, "XYZ")


@pytest.mark.parametrize("name", ["../x", "a b", "", ".hidden"])
def test_names_stay_inside_of_the_store(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "XYZ.csv", bars())
    with pytest.raises(TapeError, match="must be letters"):
        imported(tmp_path / "store", path, wish=Wish(name, "made"))


async def test_the_replay_feed_plays_the_store(tmp_path: Path) -> None:
    known = stored(tmp_path, bars())
    feed = open_feed(HOURS.source, {"path": str(tmp_path / "store" / "made")})
    assert feed.starts_at == known.sessions[0].opens_at
    later = known.sessions[3]
    watched = await feed.watch("XYZ", later.opens_at)
    assert watched is not None
    assert watched.curve == trailing_curve(known, known.days[3])
    assert watched.daily_volume == mean_daily_volume(known, known.days[3])
    mine, theirs = known.tape(known.days[3]), feed.tape("XYZ")
    np.testing.assert_array_equal(mine.trade_price, theirs.trade_price)


def test_daily_bars_have_volatility_and_no_tape(tmp_path: Path) -> None:
    lines = ["date,open,high,low,close,volume"]
    for i, session in enumerate(sessions("2024-03-04", "2024-03-15")):
        day = np.datetime64(session.opens_at, "us").astype("datetime64[D]")
        lines.append(f"{day},10.00,10.50,9.90,{10 + i % 2 / 10:.2f},{1_000 + i}")
    (tmp_path / "XYZ.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    done = imported(tmp_path / "store", tmp_path / "XYZ.csv", wish=WISH)
    assert (done.result, done.findings) == ("imported", ())
    known = TapeStore(tmp_path / "store").open("made", "XYZ")
    assert len(known.sessions) == 10
    found = volatility(known, "2024-03-18")
    assert found is not None
    assert found.daily == pytest.approx(
        np.std([np.log(1.01) * (-1) ** i for i in range(9)], ddof=1)
    )
    assert mean_daily_volume(known, "2024-03-06", 2) == 1_000
    with pytest.raises(TapeError, match="daily bars"):
        known.tape("2024-03-05")
    with pytest.raises(FeedError, match="cannot be played"):
        open_feed(HOURS.source, {"path": str(tmp_path / "store" / "made")})


def test_the_manifest_says_how_the_file_was_read(tmp_path: Path) -> None:
    path = write(tmp_path / "XYZ.csv", bars(extended=True), Style(stamp="end"))
    imported(tmp_path / "store", path, wish=WISH)
    raw = json.loads((tmp_path / "store" / "made" / "XYZ.json").read_text())
    assert raw["files"][0]["name"] == "XYZ.csv"
    assert len(raw["files"][0]["sha256"]) == 64
    assert ["stamp", "end of the bar"] in [said[:2] for said in raw["statements"]]
    assert (raw["coverage"], raw["quotes"], raw["adjusted"]) == ("extended", "assumed", "not said")
    assert raw["closing_cross"] == "last_bar"
