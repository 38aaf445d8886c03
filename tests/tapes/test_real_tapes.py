"""All data sets that are there: survived, named for what they are, and played as they were."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.instant import HOUR, MINUTE
from app.tapes.check import check_symbol
from app.tapes.detect_time import Hours
from app.tapes.findings import Finding, Severity
from app.tapes.importing import Wish, import_symbol
from app.tapes.material import Read
from app.tapes.pieces import BarsPiece
from app.tapes.reading.binance import binance_records
from app.tapes.reading.lean import LeanRecords
from app.tapes.reading.recording import Records
from app.tapes.reading.table import table_records
from app.tapes.sources import open_source
from app.tapes.stated import Given
from app.tapes.statistics import Estimate, mean_daily_volume, trailing_curve, volatility
from app.tapes.store import Stored, TapeStore
from tests.conftest import DATA_SETS
from tests.tapes.made import CALENDAR

pytestmark = [pytest.mark.data, pytest.mark.slow]
LAYOUTS = Path(__file__).parents[2] / "docs" / "layouts"
PRICED = ("bid", "ask", "trade_price", "cum_notional")
LEAN = DATA_SETS / "lean"


@dataclass(frozen=True)
class Store:
    """Imports a data set when it is first asked for."""

    root: Path

    def get(
        self, name: str, path: Path, resolution: str | None = None, symbol: str | None = None
    ) -> dict[str, tuple[Stored, list[Finding]]]:
        given = Given(symbol=symbol)
        source = open_source([path], given, CALENDAR, resolution=resolution, root=DATA_SETS)
        wish, hours = Wish(name, source.vendor), Hours(source.calendar, CALENDAR)
        found = {}
        for material in source.materials:
            done = import_symbol(self.root, source, material, wish, hours, lambda s, d: None)
            assert done.result in ("imported", "unchanged"), done
            stored = TapeStore(self.root).open(name, material.symbol)
            found[material.symbol] = (stored, check_symbol(stored, hours))
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("tapes"))


def alarms(found: list[Finding]) -> Counter[tuple[str, str, str | None]]:
    return Counter(
        {(f.name, f.symbol, f.day): f.count for f in found if f.severity is not Severity.NOTE}
    )


def same(stored: Stored, records: Records, dropped: bool = True) -> None:
    """What the store plays is what the files play, row by row."""
    assert tuple(records.stretches(stored.symbol)) == stored.sessions
    assert records.instrument(stored.symbol) == stored.instrument
    for entry in stored.entries:
        mine = stored.session_tape(entry)
        theirs = records.tape(stored.symbol, entry.session)
        finer = theirs.price_scale // mine.price_scale
        for name in mine.__slots__:
            if name not in ("dropped", "price_scale"):
                value = getattr(mine, name)
                value = value * finer if name in PRICED else value
                np.testing.assert_array_equal(value, getattr(theirs, name), err_msg=name)
        if dropped:
            assert mine.dropped == theirs.dropped
        prints, scale = records.traded(stored.symbol, entry.session)
        inside = (prints.at >= entry.opens_at) & (prints.at < entry.closes_at)
        assert stored.manifest.size_scale == scale
        assert entry.volume == int(prints.size[inside].sum())


@pytest.mark.parametrize("resolution", ["minute", "tick", "second"])
def test_lean_gives_no_alarm_and_plays_as_the_tree_does(resolution: str, store: Store) -> None:
    found = store.get(f"lean-{resolution}", LEAN, resolution)
    records = LeanRecords(LEAN, CALENDAR, resolution)
    for symbol, (stored, findings) in found.items():
        assert alarms(findings) == {}, symbol
        if symbol in records.symbols() and records.instrument(symbol) is not None:
            same(stored, records)
    if resolution == "minute":
        assert ("no_quotes", "2015-12-23") in {(f.name, f.day) for f in found["GOOG"][1]}
        aapl = {f.name: f for f in found["AAPL"][1]}
        assert "7:1" in aapl["split"].example
        assert aapl["split"].day == "2014-06-09"
        goog = {(f.name, f.day) for f in found["GOOG"][1]}
        assert ("half_day", "2015-12-24") in goog
    if resolution == "tick":
        assert {s for s, (stored, _) in found.items() if stored.manifest.quotes == "assumed"} == {
            "SPY"
        }
        crosses = {stored.manifest.closing_cross for stored, _ in found.values()}
        assert crosses == {"print_after_close"}


def test_lean_daily_knows_splits(store: Store) -> None:
    found = store.get("lean-daily", LEAN, "daily")
    aapl, findings = found["AAPL"]
    assert len(aapl.entries) == 5_849
    assert {f.day for f in findings if f.name == "split"} == {
        "2000-06-21", "2005-02-28", "2014-06-09", "2020-08-31",
    }  # fmt: skip
    through = volatility(aapl, "2014-06-20")
    assert through is not None
    assert through.adjusted == ("2014-06-09",)
    assert 0.005 < through.daily < 0.02, "not the 85 % of a raw split"
    before, after = mean_daily_volume(aapl, "2014-06-06"), mean_daily_volume(aapl, "2014-06-10")
    assert before is not None
    assert after is not None
    assert 5 < after / before < 9, "in shares of after the split"


def test_spy_2011_is_utc_stamped_at_the_end(store: Store) -> None:
    path = DATA_SETS / "spy_nt_2011" / "nt-spy-minute-2011.csv"
    stored, findings = store.get("spy-2011", path, symbol="SPY")["SPY"]
    assert alarms(findings) == {}
    assert len(stored.sessions) == 20
    assert stored.manifest.coverage == "extended"
    same(stored, table_records(LAYOUTS / "spy-2011-minute.toml", DATA_SETS, CALENDAR))


def test_aapl_2024_has_the_cross_in_the_bar_at_the_close(store: Store) -> None:
    path = DATA_SETS / "aapl_2024_01_alpaca"
    stored, findings = store.get("aapl-2024", path)["AAPL"]
    assert set(alarms(findings)) <= {("missing_session", "AAPL", "2024-01-22")}
    assert stored.manifest.closing_cross == "bar_at_close"
    assert stored.manifest.closing_share is not None
    assert 0.1 < stored.manifest.closing_share < 0.3
    same(stored, table_records(LAYOUTS / "aapl-2024-minute.toml", DATA_SETS, CALENDAR))


@pytest.mark.parametrize("declared", [False, True], ids=["detected", "declared"])
def test_sw_2024(declared: bool, store: Store) -> None:
    path = DATA_SETS / "us1min_2024_blaizard" / "SW"
    path = LAYOUTS / "sw-2024-minute.toml" if declared else path
    name = "sw-declared" if declared else "sw"
    stored, findings = store.get(name, path, symbol=None if declared else "SW")["SW"]
    assert len(stored.sessions) == 124
    # On its first day the file begins at 13:45.
    assert alarms(findings)["gap", "SW", "2024-07-08"] == 1
    assert {name for name, _, _ in alarms(findings)} == {"gap", "volume_spike"}
    outside = sum(f.count for f in findings if f.name == "average_outside_bar")
    bars = sum(entry.bars for entry in stored.entries)
    assert 0.08 < outside / bars < 0.10
    assert {f.day for f in findings if f.name == "half_day"} == {"2024-11-29", "2024-12-24"}
    same(stored, table_records(LAYOUTS / "sw-2024-minute.toml", DATA_SETS, CALENDAR), dropped=False)
    curve = trailing_curve(stored, "2024-12-27")
    assert curve is not None
    assert curve.source == "history:20d"
    assert curve.edges[-1] == 390 * MINUTE


def test_us8_2019_is_local_newest_first_stamped_at_the_end(store: Store) -> None:
    found = store.get("us8", DATA_SETS / "us8_2019_02_av")
    assert len(found) == 8
    records = table_records(LAYOUTS / "us8-2019-minute.toml", DATA_SETS, CALENDAR)
    for stored, findings in found.values():
        assert {name for name, _, _ in alarms(findings)} <= {"zero_volume_move"}
        same(stored, records, dropped=False)
        for estimate in Estimate:
            known = volatility(stored, "2019-02-18", estimate=estimate)
            assert known is not None
            assert 0.001 < known.daily < 0.05


def test_binance(store: Store) -> None:
    path = DATA_SETS / "hftbacktest" / "usdm" / "btcusdt_20240808.gz"
    stored, findings = store.get("binance", path)["BTCUSDT"]
    assert alarms(findings) == {}
    same(stored, binance_records(path, CALENDAR))


def test_orcl_2000_is_raw_and_its_splits_are_known(store: Store) -> None:
    path = DATA_SETS / "daily" / "pyalgotrade" / "WIKI-ORCL-2000-quandl.csv"
    stored, findings = store.get("orcl", path, symbol="ORCL")["ORCL"]
    assert alarms(findings) == {}
    assert stored.manifest.adjusted == "raw"
    assert sorted(stored.manifest.splits) == ["2000-01-19", "2000-10-13"]
    assert len(stored.sessions) == 252


@pytest.mark.parametrize(("hours", "symbol"), [(5, "SPY"), (-1, "AAPL")])
def test_a_real_file_with_shifted_hours_is_refused(hours: int, symbol: str, tmp_path: Path) -> None:
    path = DATA_SETS / "us8_2019_02_av" / f"{symbol}_1min.csv"
    source = open_source([path], Given(), CALENDAR)
    (material,) = source.materials

    def read() -> Iterator[Read]:
        for piece, faults in material.read():
            assert isinstance(piece, BarsPiece)
            bars = replace(piece.bars, at=piece.bars.at + hours * HOUR)
            yield replace(piece, bars=bars), faults

    moved = replace(material, read=read)
    done = import_symbol(
        tmp_path, source, moved, Wish("x", "x"), Hours("XNYS", CALENDAR), lambda s, d: None
    )
    assert done.result == "refused"
    assert f"looks shifted by {hours:+d} h" in done.why
