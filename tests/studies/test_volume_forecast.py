"""The study of the volume forecast: its reach on real days, and that it can tell the two apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.domain.instant import DAY, HOUR, MINUTE
from app.domain.session import Session
from app.feeds.taped import BIN
from bench.studies.volume_forecast import (
    FULL,
    SAMPLES,
    SLOTS,
    SW,
    Sample,
    curve_before,
    outcome,
    real_shares,
    scores,
    shares_given,
    studied,
    to_forecast,
)
from bench.studies.volumes import Day, by_symbol

OPEN = 19_700 * DAY + 14 * HOUR + 30 * MINUTE
BINS = FULL // BIN
MADE = Sample("made", "", ("A",), trailing=20, least=20)


def made_days(count: int, seed: int, level: float, local: float, noise: float) -> list[Day]:
    """Days around a U whose local surprise halves in a quarter of an hour."""
    random = np.random.default_rng(seed)
    usual = 1.0 + 3.0 * (np.linspace(-1, 1, BINS) ** 2)
    kept = 0.5 ** (BIN / (15 * MINUTE))
    days = []
    for day in range(count):
        here, path = random.normal(0, local), []
        for _ in range(BINS):
            path.append(here)
            here = kept * here + random.normal(0, local * np.sqrt(1 - kept**2))
        logs = random.normal(0, level) + np.array(path) + random.normal(0, noise, BINS)
        opens = OPEN + day * DAY
        volumes = tuple(float(v) for v in 1e5 * usual * np.exp(logs))
        days.append(Day(Session(opens, opens + FULL), volumes))
    return days


@pytest.mark.parametrize("minutes", SLOTS)
def test_it_wins_where_surprises_last(minutes: int) -> None:
    days = made_days(120, seed=1, level=0.4, local=0.6, noise=0.2)
    found = outcome(MADE, minutes, [scores(days, MADE, minutes)])
    assert found.days == 100
    assert found.change_of_median < -0.05
    assert found.change_of_mean < -0.05
    assert found.days_better >= 0.65
    assert found.p_value < 0.001


@pytest.mark.parametrize("minutes", SLOTS)
def test_it_does_not_lose_where_they_do_not(minutes: int) -> None:
    days = made_days(120, seed=2, level=0.0, local=0.0, noise=0.4)
    found = outcome(MADE, minutes, [scores(days, MADE, minutes)])
    assert abs(found.change_of_mean) < 0.01


def test_the_static_error_is_that_of_the_mean_of_trailing_shares() -> None:
    days = made_days(22, seed=3, level=0.4, local=0.5, noise=0.3)
    one = scores(days, MADE, 30)
    before = np.array([day.volumes for day in days[1:21]])
    shares = (before / before.sum(axis=1, keepdims=True)).mean(axis=0).reshape(13, -1).sum(axis=1)
    traded = np.array(days[21].volumes).reshape(13, -1).sum(axis=1) / sum(days[21].volumes)
    assert one.static[1] == pytest.approx(np.abs(shares - traded))
    assert one.twap[1] == pytest.approx(np.abs(1 / 13 - traded))
    assert real_shares(days[21], 30) == pytest.approx(traded)


def test_the_future_is_not_seen() -> None:
    """Bitwise, on any day and bin: later bins and later days do not touch what was given."""
    days = made_days(24, seed=4, level=0.4, local=0.5, noise=0.3)
    random = np.random.default_rng(5)
    for today, cut in ((21, 0), (22, 30), (22, 51), (23, 77)):
        later = [replace(d, volumes=tuple(random.uniform(0, 1e7, BINS))) for d in days[today:]]
        seen = days[today].volumes[:cut]
        later[0] = replace(later[0], volumes=(*seen, *later[0].volumes[cut:]))
        changed = [*days[:today], *later]
        assert curve_before(days, today, 20) == curve_before(changed, today, 20)
        for minutes in SLOTS:
            begun = cut * BIN // (minutes * MINUTE) + 1
            one, two = (
                shares_given(curve_before(some, today, 20), some[today], minutes)
                for some in (days, changed)
            )
            assert one[:begun] == two[:begun]
            assert cut == 77 or one != two


@pytest.mark.data
def test_the_reach_on_sw_2024(data_sets: Path) -> None:
    for found in studied(data_sets, SW):
        assert found.days == 101
        assert found.change_of_median <= -0.05
        assert found.change_of_mean < 0
        assert found.days_better >= 0.65
        assert found.p_value < 0.01
        assert found.median_static < found.median_twap


@pytest.mark.data
def test_the_future_of_sw_is_not_seen(data_sets: Path) -> None:
    days = by_symbol(data_sets, SW.layout, SW.symbols, BIN)["SW"]
    for today in to_forecast(days, SW)[::25]:
        cut = 40
        seen = days[today].volumes[:cut]
        rest = tuple(7.0 * v for v in reversed(days[today].volumes[cut:]))
        changed = [*days[:today], replace(days[today], volumes=(*seen, *rest)), *days[:today]]
        for minutes in SLOTS:
            begun = cut * BIN // (minutes * MINUTE) + 1
            one, two = (
                shares_given(curve_before(some, today, 20), some[today], minutes)
                for some in (days, changed)
            )
            assert one[:begun] == two[:begun]


@pytest.mark.data
def test_days_with_holes_are_left_out(data_sets: Path) -> None:
    days = by_symbol(data_sets, SW.layout, SW.symbols, BIN)["SW"]
    # The first of 124 sessions begins at 9:45.
    assert len(days) == 123
    assert [day.session.length for day in days].count(210 * MINUTE) == 2
    halves = next(sample for sample in SAMPLES if sample.half)
    assert [days[k].session.length for k in to_forecast(days, halves)] == [210 * MINUTE] * 2
