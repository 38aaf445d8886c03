"""`python -m bench.studies.volume_forecast --data ../shared/data`: does adapting the curve pay?

Out of sample, a day at a time. The curve and its dynamics are learned from the trailing sessions of
full length alone, in the bins of the product (`app.feeds.taped.BIN`). Then the day's session is cut
into slots of an hour's half or quarter, and each is given its share when it starts, by the function
that orders use (`app.domain.forecast.adaptive_weights`: eq. 41 of Chen, Feng and Palomar 2016 with
the guards of Humphery-Jenner 2011), from the volumes of the bins that are over by then.

The error of a slot is |share given − share that traded|, where the latter is the slot's part of
the session's volume. The static curve is scored alike: the same trailing days, nothing observed.
TWAP gives each slot its part of the time. A day is better under the dynamic curve where its sum of
errors is smaller; the p-value is of Wilcoxon's signed-rank test (two-sided) on the paired sums of
the days. Nothing is random.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import wilcoxon

from app.domain.forecast import adaptive_weights
from app.domain.instant import MINUTE, rfc3339
from app.domain.volume import VolumeCurve, curve_from_history
from app.feeds.taped import BIN
from bench.studies.volumes import LEAN, Day, by_symbol

RESULTS = Path(__file__).parent / "volume_forecast.json"
FULL = 390 * MINUTE
SLOTS = (30, 15)
"""Lengths of the slots that are scored, in minutes."""

Errors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Days to forecast: those after the first `least` of a symbol's full sessions, each from up to
    `trailing` sessions before it. `first` and `last` choose among the days to forecast; `half`
    takes the sessions that end early instead of the full ones."""

    name: str
    layout: str
    symbols: tuple[str, ...]
    trailing: int
    least: int
    first: int = 0
    last: int | None = None
    half: bool = False


US8 = ("AAPL", "AMZN", "BAC", "JPM", "MSFT", "QQQ", "SPY", "TSLA")
SW = Sample("SW 2024", "sw-2024-minute", ("SW",), 20, 20)
DEVELOPED = 40
"""The model was chosen with these first days to forecast of SW, and the samples after, in sight."""

SAMPLES = (
    SW,
    replace(SW, name="SW 2024, first 40 days (seen when choosing)", last=DEVELOPED),
    replace(SW, name="SW 2024, days after those (held out)", first=DEVELOPED),
    replace(SW, name="SW 2024, the two half days", half=True),
    Sample("SPY 2011-01 (seen)", "spy-2011-minute", ("SPY",), 10, 10),
    Sample("AAPL 2024-01 (seen)", "aapl-2024-minute", ("AAPL",), 20, 4),
    Sample("8 symbols 2019-02 (seen)", "us8-2019-minute", US8, 20, 2),
    Sample("4 symbols 2013-10 (seen)", LEAN, ("AIG", "BAC", "IBM", "SPY"), 20, 2),
)


@dataclass(frozen=True, slots=True)
class Scores:
    """Absolute share errors, a row a day and a column a slot."""

    dynamic: Errors
    static: Errors
    twap: Errors


@dataclass(frozen=True, slots=True)
class Outcome:
    """Changes are of the dynamic curve's error against the static curve's: −0.05 is 5 % lower."""

    sample: str
    slot_minutes: int
    days: int
    median_twap: float
    median_static: float
    median_dynamic: float
    change_of_median: float
    change_of_mean: float
    days_better: float
    p_value: float


def slots_of(day: Day, minutes: int) -> list[tuple[int, int]]:
    opens, closes = day.session.opens_at, day.session.closes_at
    return [
        (at, min(at + minutes * MINUTE, closes)) for at in range(opens, closes, minutes * MINUTE)
    ]


def curve_before(days: Sequence[Day], day: int, trailing: int) -> VolumeCurve:
    """What is learned from the last `trailing` full sessions before a day."""
    full = [list(d.volumes) for d in days[:day] if d.session.length == FULL][-trailing:]
    curve = curve_from_history(full, bin_length=BIN, periodic=False)
    assert curve is not None, "a forecast needs a day before"
    return curve


def shares_given(curve: VolumeCurve, day: Day, minutes: int) -> tuple[float, ...]:
    """Each slot's share, given when it starts."""
    return adaptive_weights(curve, day.session, slots_of(day, minutes), day.volumes)


def to_forecast(days: Sequence[Day], sample: Sample) -> list[int]:
    full = [k for k, day in enumerate(days) if day.session.length == FULL]
    begins = full[sample.least] if len(full) > sample.least else len(days)
    chosen = [
        k for k in range(begins, len(days)) if (days[k].session.length != FULL) == sample.half
    ]
    return chosen[sample.first : sample.last]


def scores(days: Sequence[Day], sample: Sample, minutes: int) -> Scores:
    rows: list[list[Errors]] = [[], [], []]
    for k in to_forecast(days, sample):
        day, curve = days[k], curve_before(days, k, sample.trailing)
        traded = real_shares(day, minutes)
        slots = slots_of(day, minutes)
        given = (
            shares_given(curve, day, minutes),
            shares_given(replace(curve, dynamics=None), day, minutes),
            [(end - start) / day.session.length for start, end in slots],
        )
        for errors, shares in zip(rows, given, strict=True):
            errors.append(np.abs(np.array(shares) - traded))
    return Scores(*(np.array(errors) for errors in rows))


def real_shares(day: Day, minutes: int) -> Errors:
    volumes = np.array(day.volumes)
    starts = np.arange(0, len(volumes), minutes * MINUTE // BIN)
    summed: Errors = np.add.reduceat(volumes, starts) / volumes.sum()
    return summed


def outcome(sample: Sample, minutes: int, parts: Iterable[Scores]) -> Outcome:
    some = [part for part in parts if len(part.static)]
    dynamic, static, twap = (
        np.concatenate([getattr(part, name) for part in some])
        for name in ("dynamic", "static", "twap")
    )
    gained = static.sum(axis=1) - dynamic.sum(axis=1)
    return Outcome(
        sample=sample.name,
        slot_minutes=minutes,
        days=len(gained),
        median_twap=float(np.median(twap)),
        median_static=float(np.median(static)),
        median_dynamic=float(np.median(dynamic)),
        change_of_median=float(np.median(dynamic) / np.median(static) - 1),
        change_of_mean=float(dynamic.mean() / static.mean() - 1),
        days_better=float((gained > 0).mean()),
        p_value=float(wilcoxon(gained).pvalue),
    )


def studied(data: Path, sample: Sample) -> list[Outcome]:
    """The outcome for each length of slots."""
    days = by_symbol(data, sample.layout, sample.symbols, BIN)
    return [
        outcome(sample, minutes, (scores(some, sample, minutes) for some in days.values()))
        for minutes in SLOTS
    ]


def spans(data: Path, sample: Sample) -> Mapping[str, list[str]]:
    """The sessions that are forecast, by symbol."""
    days = by_symbol(data, sample.layout, sample.symbols, BIN)
    return {
        symbol: [rfc3339(some[k].session.opens_at)[:10] for k in to_forecast(some, sample)]
        for symbol, some in days.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.studies.volume_forecast")
    parser.add_argument("--data", type=Path, required=True, help="where the market data is")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    print(
        f"{'sample':<44}{'slot':>5}{'days':>5}{'TWAP':>9}{'static':>9}{'dynamic':>9}"
        f"{'median':>8}{'mean':>7}{'better':>8}{'p':>9}"
    )
    outcomes: list[Outcome] = []
    for sample in SAMPLES:
        for found in studied(asked.data, sample):
            outcomes.append(found)
            print(
                f"{found.sample:<44}{found.slot_minutes:>5}{found.days:>5}"
                f"{found.median_twap:>9.5f}{found.median_static:>9.5f}{found.median_dynamic:>9.5f}"
                f"{found.change_of_median:>+8.1%}{found.change_of_mean:>+7.1%}"
                f"{found.days_better:>8.0%}{found.p_value:>9.1e}",
                flush=True,
            )
    told = {sample.name: spans(asked.data, sample) for sample in SAMPLES}
    plain = {"outcomes": [asdict(found) for found in outcomes], "days": told}
    asked.out.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
