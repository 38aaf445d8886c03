"""The study of VWAP tracking: what it says of a made market, and its reach on real ones."""

from pathlib import Path

import numpy as np
import pytest

from app.domain.instant import MINUTE
from app.domain.quantity import Side
from app.domain.volume import VolumeCurve, curve_from_history
from app.feeds.taped import BIN
from bench.studies.tracking_orders import TWO_HOURS, measured, misplaced
from bench.studies.volume_forecast import SW, Sample
from bench.studies.vwap_tracking import WHOLES, asked, by_symbol_of, row_of, rows, worked
from tests.studies.made import a_tape, a_task, done

BPS = 10_000


def the_right_curve() -> VolumeCurve:
    """Three quarters of the volume in the first half of the day."""
    half = 195 * MINUTE // BIN
    curve = curve_from_history([[3.0] * half + [1.0] * half] * 2, bin_length=BIN, periodic=False)
    assert curve is not None
    return curve


@pytest.mark.parametrize("side", list(Side))
def test_twap_misses_what_the_volume_shifts(side: Side) -> None:
    tape = a_tape(300, 100)
    found = measured(
        tape, done(a_task("twap", 7_800, slices=78, placement="cross", side=side), tape)
    )
    # Market: 3/4 at 100.01, 1/4 at 101.01. Own: halves, and half a spread of 0.01 for crossing.
    assert found.misplaced == pytest.approx(0.25)
    assert found.schedule == pytest.approx(0.25 / 100.26 * BPS)
    assert found.error == pytest.approx((0.25 + side.sign * 0.01) / 100.26 * BPS)
    assert found.filled == 1
    assert found.own == pytest.approx(7_800 / (39 * 30 * 400))


def test_the_right_curve_misses_only_half_the_spread() -> None:
    tape = a_tape(300, 100)
    task = a_task("vwap", 7_800, the_right_curve(), slices=78, placement="cross", adaptive="off")
    found = measured(tape, done(task, tape))
    assert found.misplaced < 1e-9
    assert found.schedule < 1e-6
    assert found.error == pytest.approx(0.01 / 100.26 * BPS)


def test_misplaced_counts_quarters_of_an_hour() -> None:
    # Within a quarter it does not matter where; a tenth in another quarter is a tenth.
    assert misplaced(np.array([0.1, -0.1, 0.0, 0.0, 0.0, 0.0])) == pytest.approx(0)
    assert misplaced(np.array([0.1, 0.0, 0.0, 0.0, 0.0, -0.1])) == pytest.approx(0.1)


@pytest.mark.data
@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_the_reach_over_two_hours_of_sw(data_sets: Path) -> None:
    some = [a for a in asked(data_sets, SW, "cross") if a.kind == TWO_HOURS]
    found = row_of("SW", TWO_HOURS, "cross", worked(data_sets, some, processes=1))
    assert found.orders == 1_212
    assert found.dates == 101
    assert found.unfilled == 0
    assert found.adaptive_less_static.below
    assert found.static_less_twap.mean < 0
    assert found.days_better > 0.6
    assert found.misplaced_adaptive_less_static.below


@pytest.mark.data
@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("sample", WHOLES[1:], ids=lambda sample: sample.layout)
def test_the_curve_is_closer_on_every_symbol(data_sets: Path, sample: Sample) -> None:
    some = [a for a in asked(data_sets, sample, "cross") if a.parent.task.side is Side.BUY]
    for symbol, part in by_symbol_of(worked(data_sets, some, processes=1)).items():
        for row in rows(symbol, "cross", part):
            assert row.misplaced_adaptive_less_static.mean < 0, (symbol, row.kind)
