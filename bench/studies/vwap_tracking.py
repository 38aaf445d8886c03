"""`python -m bench.studies.vwap_tracking --data ../shared/data`: does a better curve track better?

The same orders under TWAP, the static curve and the adapted one, worked in virtual time on real
tapes by the code that orders use. The curve is learned from earlier days of the same data set
alone, the days are those of `volume_forecast`. Slices begin at the same moments under each
schedule: only their sizes differ. Orders are small, buy and sell, over the whole session and over
windows of two hours; own fills are not on the tape. Differences are paired order by order;
intervals resample dates, so that symbols of one date count together.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import wilcoxon

from app.feeds.taped import BIN
from app.research.batch import Study, run_all
from app.research.options import VenueOptions
from bench.studies.markets import date_of, instrument_of, opened, symbol_of
from bench.studies.resampling import Interval, interval
from bench.studies.tracking_orders import SCHEDULES, TWO_HOURS, WHOLE, Asked, Missed, missed, orders
from bench.studies.volume_forecast import (
    DEVELOPED,
    FULL,
    SAMPLES,
    SW,
    Sample,
    curve_before,
    to_forecast,
)
from bench.studies.volumes import LEAN_TICKS, by_symbol

RESULTS = Path(__file__).parent / "vwap_tracking.json"
PLACEMENTS = ("cross", "rest_then_cross")
TICKS = Sample("IBM BAC ticks 2013-10-08", LEAN_TICKS, ("BAC", "IBM"), 20, 1)
WHOLES = (*(s for s in SAMPLES if s.first == 0 and s.last is None and not s.half), TICKS)
HELD_OUT = "SW 2024, days after the first 40"
EVERYTHING = "all of them"

Worked = tuple[Asked, Missed]


@dataclass(frozen=True, slots=True)
class Row:
    """Means and medians of the orders by schedule, in the order of SCHEDULES; differences are of
    the adaptive schedule against the static one, and of the static one against TWAP: negative is
    better. `days_better` is the part of dates with a lower mean error than the static one's; the
    p-value is of Wilcoxon's signed-rank test (two-sided) on the dates' sums."""

    sample: str
    kind: str
    placement: str
    orders: int
    dates: int
    mean_error: Sequence[float]
    median_error: Sequence[float]
    adaptive_less_static: Interval
    static_less_twap: Interval
    days_better: float
    p_value: float | None
    schedule: Sequence[float]
    schedule_adaptive_less_static: Interval
    misplaced: Sequence[float]
    misplaced_adaptive_less_static: Interval
    misplaced_days_better: float
    unfilled: int
    largest_share: float


def asked(data: Path, sample: Sample, placement: str) -> list[Asked]:
    """Every order of a sample."""
    found: list[Asked] = []
    for symbol, days in by_symbol(data, sample.layout, sample.symbols, BIN).items():
        instrument = instrument_of(data, sample.layout, symbol)
        for k in to_forecast(days, sample):
            curve = curve_before(days, k, sample.trailing)
            full = [sum(d.volumes) for d in days[:k] if d.session.length == FULL]
            usual = float(np.mean(full[-sample.trailing :]))
            found += orders(sample.layout, instrument, days[k], curve, usual, placement)
    return found


def worked(data: Path, some: Sequence[Asked], processes: int | None = None) -> list[Worked]:
    study = Study(partial(opened, data, VenueOptions()), partial(missed, data))
    results = run_all(study, [one.parent for one in some], processes=processes)
    return list(zip(some, results, strict=True))


def rows(name: str, placement: str, some: Sequence[Worked]) -> list[Row]:
    return [row_of(name, kind, placement, some) for kind in (WHOLE, TWO_HOURS)]


def row_of(name: str, kind: str, placement: str, some: Sequence[Worked]) -> Row:
    by_schedule = {
        schedule: {a.key: (a, m) for a, m in some if (a.kind, a.schedule) == (kind, schedule)}
        for schedule in SCHEDULES
    }
    keys = sorted(by_schedule["twap"])
    dates = [date_of(by_schedule["twap"][key][0].parent.market) for key in keys]

    def column(schedule: str, of: Callable[[Missed], float]) -> np.ndarray:
        return np.array([of(by_schedule[schedule][key][1]) for key in keys])

    error = {s: column(s, lambda m: m.error) for s in SCHEDULES}
    explained = {s: column(s, lambda m: m.schedule) for s in SCHEDULES}
    placed = {s: column(s, lambda m: m.misplaced) for s in SCHEDULES}
    every = [by_schedule[s][key][1] for s in SCHEDULES for key in keys]
    return Row(
        sample=name,
        kind=kind,
        placement=placement,
        orders=len(keys),
        dates=len(set(dates)),
        mean_error=[float(error[s].mean()) for s in SCHEDULES],
        median_error=[float(np.median(error[s])) for s in SCHEDULES],
        adaptive_less_static=interval(list(error["adaptive"] - error["static"]), dates),
        static_less_twap=interval(list(error["static"] - error["twap"]), dates),
        days_better=_better(error["adaptive"] - error["static"], dates),
        p_value=_p_value(error["adaptive"] - error["static"], dates),
        schedule=[float(explained[s].mean()) for s in SCHEDULES],
        schedule_adaptive_less_static=interval(
            list(explained["adaptive"] - explained["static"]), dates
        ),
        misplaced=[float(placed[s].mean()) for s in SCHEDULES],
        misplaced_adaptive_less_static=interval(list(placed["adaptive"] - placed["static"]), dates),
        misplaced_days_better=_better(placed["adaptive"] - placed["static"], dates),
        unfilled=sum(m.filled < 1 for m in every),
        largest_share=max(m.own for m in every),
    )


def _sums(differences: np.ndarray, dates: Sequence[str]) -> list[float]:
    sums: dict[str, float] = {}
    for date, difference in zip(dates, differences, strict=True):
        sums[date] = sums.get(date, 0.0) + float(difference)
    return list(sums.values())


def _better(differences: np.ndarray, dates: Sequence[str]) -> float:
    return float(np.mean([total < 0 for total in _sums(differences, dates)]))


def _p_value(differences: np.ndarray, dates: Sequence[str]) -> float | None:
    sums = _sums(differences, dates)
    return float(wilcoxon(sums).pvalue) if len(sums) > 5 else None


def by_symbol_of(some: Sequence[Worked]) -> Mapping[str, list[Worked]]:
    found: dict[str, list[Worked]] = {}
    for one in some:
        found.setdefault(symbol_of(one[0].parent.market), []).append(one)
    return found


def held_out(some: Sequence[Worked]) -> list[Worked]:
    """Those of the days that did not help to choose the model."""
    dates = sorted({date_of(one.parent.market) for one, _ in some})[DEVELOPED:]
    return [(a, m) for a, m in some if date_of(a.parent.market) in dates]


def studied(data: Path, placement: str) -> tuple[list[Row], list[Row], list[Worked]]:
    """Rows of the samples, of each symbol of each sample, and all orders behind them."""
    samples: list[Row] = []
    symbols: list[Row] = []
    every: list[Worked] = []
    for sample in WHOLES:
        some = worked(data, asked(data, sample, placement))
        every += some
        samples += rows(sample.name, placement, some)
        if sample is SW:
            samples += rows(HELD_OUT, placement, held_out(some))
        for symbol, part in by_symbol_of(some).items():
            symbols += rows(f"{symbol}, {sample.layout}", placement, part)
        tell(samples[-4 if sample is SW else -2 :])
    samples += rows(EVERYTHING, placement, every)
    tell(samples[-2:])
    return samples, symbols, every


HEAD = (
    f"{'sample':<34}{'window':>7}{'orders':>7}{'dates':>6}"
    f"{'TWAP':>7}{'static':>7}{'adapt.':>7}{'adaptive − static, bps':>22}{'better':>7}{'p':>8}"
    f"{'schedule part, bps':>20}{'adaptive − static':>22}"
    f"{'misplaced %':>20}{'adaptive − static, points':>26}{'better':>7}"
)


def tell(found: Iterable[Row]) -> None:
    for row in found:
        twap, static, adaptive = row.mean_error
        away = " ".join(f"{100 * part:.2f}" for part in row.misplaced)
        explained = " ".join(f"{part:.2f}" for part in row.schedule)
        p_value = "–" if row.p_value is None else f"{row.p_value:.1e}"
        points = row.misplaced_adaptive_less_static
        hundred = Interval(
            100 * points.mean,
            None if points.low is None else 100 * points.low,
            None if points.high is None else 100 * points.high,
            points.clusters,
        )
        print(
            f"{row.sample:<34}{row.kind:>7}{row.orders:>7}{row.dates:>6}"
            f"{twap:>7.2f}{static:>7.2f}{adaptive:>7.2f}{row.adaptive_less_static.told():>22}"
            f"{row.days_better:>7.0%}{p_value:>8}{explained:>20}"
            f"{row.schedule_adaptive_less_static.told():>22}{away:>20}{hundred.told():>26}"
            f"{row.misplaced_days_better:>7.0%}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies.vwap_tracking")
    parser.add_argument("--data", type=Path, required=True, help="where the market data is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    plain: dict[str, list[object]] = {"samples": [], "symbols": [], "orders": []}
    for placement in PLACEMENTS:
        print(f"{placement}\n{HEAD}")
        samples, symbols, every = studied(given.data, placement)
        print("by symbol")
        tell(symbols)
        plain["samples"] += [asdict(row) for row in samples]
        plain["symbols"] += [asdict(row) for row in symbols]
        plain["orders"] += [
            (placement, a.parent.market, a.kind, a.schedule, a.key, *asdict(m).values())
            for a, m in every
        ]
    given.out.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
