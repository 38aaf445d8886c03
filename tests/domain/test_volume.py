"""Volume curves: shares, half days, late starts, markets that never close."""

import os
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import DAY, HOUR, MINUTE, Instant
from app.domain.session import Session, join_adjacent, session_at, session_from
from app.domain.volume import VolumeCurve, curve_from_history, default_curve

OPEN: Instant = 19_700 * DAY + 14 * HOUR + 30 * MINUTE
FULL = Session(OPEN, OPEN + 390 * MINUTE)
HALF = Session(OPEN, OPEN + 210 * MINUTE)
LONG = Session(OPEN, OPEN + 450 * MINUTE)
SHUTTLE = 5 * DAY
ALWAYS = Session(OPEN - SHUTTLE, OPEN + SHUTTLE)

lengths = st.integers(1, 900).map(lambda minutes: minutes * MINUTE + minutes % 2)
volumes = st.lists(st.integers(0, 10**9), min_size=4, max_size=4)


def minutes(curve: VolumeCurve, session: Session, start: int, end: int) -> float:
    opens = session.opens_at
    return curve.between(session, opens + start * MINUTE, opens + end * MINUTE)


def whole(curve: VolumeCurve, session: Session) -> float:
    return curve.between(session, session.opens_at, session.closes_at)


def test_the_default_is_the_us_u() -> None:
    curve = default_curve(FULL)
    edges = (0, 30, 60, 330, 360, 390)
    shares = [minutes(curve, FULL, a, b) for a, b in pairwise(edges)]
    assert shares == pytest.approx([0.15, 0.12, 0.50, 0.12, 0.11])
    assert minutes(curve, FULL, 60, 195) == pytest.approx(0.25)
    assert sum(curve.shares) == pytest.approx(1)
    assert whole(curve, FULL) == pytest.approx(1)


def test_a_half_day_keeps_both_ends() -> None:
    curve = default_curve(HALF)
    assert minutes(curve, HALF, 0, 30) == pytest.approx(0.15)
    assert minutes(curve, HALF, 30, 60) == pytest.approx(0.12)
    assert minutes(curve, HALF, 150, 180) == pytest.approx(0.12)
    assert minutes(curve, HALF, 180, 210) == pytest.approx(0.11)
    middle = 0.50 * 90 / 270
    assert whole(curve, HALF) == pytest.approx(0.50 + middle)
    # Dividing by what remains makes it sum to one again.
    parts = [minutes(curve, HALF, a, a + 30) / whole(curve, HALF) for a in range(0, 210, 30)]
    assert sum(parts) == pytest.approx(1)


def test_a_late_start_keeps_the_shape() -> None:
    curve = default_curve(FULL)
    left = minutes(curve, FULL, 330, 390)
    assert left == pytest.approx(0.23)
    assert minutes(curve, FULL, 330, 360) / left == pytest.approx(0.12 / 0.23)


def test_a_longer_session_repeats_the_middle() -> None:
    curve = default_curve(LONG)
    assert minutes(curve, LONG, 0, 30) == pytest.approx(0.15)
    assert minutes(curve, LONG, 420, 450) == pytest.approx(0.11)
    assert minutes(curve, LONG, 195, 255) == pytest.approx(0.50 * 60 / 270)


def test_outside_the_session_nothing_trades() -> None:
    curve = default_curve(FULL)
    assert curve.between(FULL, OPEN - DAY, OPEN) == 0
    assert curve.between(FULL, FULL.closes_at, FULL.closes_at + DAY) == 0
    assert curve.between(FULL, OPEN - DAY, OPEN + DAY) == pytest.approx(1)


def test_a_market_that_never_closes_is_flat_across_midnight() -> None:
    curve = default_curve(ALWAYS)
    midnight = 19_700 * DAY
    assert curve.between(ALWAYS, midnight - HOUR, midnight + HOUR) == pytest.approx(2 / 24)
    assert curve.between(ALWAYS, midnight, midnight + 3 * DAY) == pytest.approx(3)


def test_a_periodic_curve_is_indexed_from_midnight_utc() -> None:
    bins = [1.0] * 23 + [24.0]
    curve = curve_from_history([bins], bin_length=HOUR, periodic=True)
    assert curve is not None
    midnight = 19_700 * DAY
    assert curve.between(ALWAYS, midnight - HOUR, midnight) == pytest.approx(24 / 47)
    assert curve.between(ALWAYS, midnight, midnight + HOUR) == pytest.approx(1 / 47)
    assert curve.between(ALWAYS, midnight - HOUR, midnight + HOUR) == pytest.approx(25 / 47)


@pytest.mark.parametrize("length", [1, 1_000, 1_000_000])
def test_short_stretches_of_a_long_running_market_are_exact(length: int) -> None:
    curve = default_curve(ALWAYS)
    stretches = [
        curve.between(ALWAYS, OPEN + k * length, OPEN + (k + 1) * length) for k in range(9)
    ]
    assert stretches == pytest.approx([length / DAY] * 9, rel=1e-4)


@st.composite
def curves(draw: st.DrawFn) -> VolumeCurve:
    days = draw(st.lists(volumes, min_size=1, max_size=5).filter(lambda d: any(map(sum, d))))
    periodic = draw(st.booleans())
    bin_length = DAY // 4 if periodic else draw(st.sampled_from([MINUTE, 90 * MINUTE]))
    curve = curve_from_history(days, bin_length=bin_length, periodic=periodic)
    assert curve is not None
    return curve


@given(curves(), lengths, st.lists(st.integers(-MINUTE, 1000 * MINUTE), min_size=2, max_size=12))
def test_shares_add_up_and_never_fall(curve: VolumeCurve, length: int, offsets: list[int]) -> None:
    session = Session(OPEN, OPEN + length)
    moments = sorted(OPEN + offset for offset in offsets)
    parts = [curve.between(session, a, b) for a, b in pairwise(moments)]
    assert min(parts) >= 0
    assert sum(parts) == pytest.approx(curve.between(session, moments[0], moments[-1]), abs=1e-9)


@given(curves(), st.sampled_from([FULL, HALF, LONG]))
def test_a_cumulative_curve_goes_from_nothing_to_everything(
    curve: VolumeCurve, session: Session
) -> None:
    total = whole(curve, session)
    steps = [
        curve.between(session, session.opens_at, session.opens_at + session.length * k // 50)
        for k in range(51)
    ]
    assert steps[0] == 0
    assert steps[-1] == total
    assert all(b >= a - 1e-12 for a, b in pairwise(steps))
    if session is FULL and not curve.periodic and curve.edges[-1] == FULL.length:
        assert total == pytest.approx(1)


# Sums of these shares, taken apart again, miss zero by a rounding.
@pytest.mark.parametrize("bins", [[0, 5, 0, 0, 5, 0], [0, 3, 3, 7, 0, 0.1], [0.1, 0, 0, 7, 0, 0]])
@pytest.mark.parametrize("session", [HALF, FULL, LONG])
def test_empty_bins_are_never_negative(bins: list[float], session: Session) -> None:
    curve = curve_from_history([bins], bin_length=65 * MINUTE, periodic=False)
    assert curve is not None
    moments = [session.opens_at + session.length * k // 210 for k in range(211)]
    assert min(curve.between(session, a, b) for a, b in pairwise(moments)) >= 0


def test_an_empty_last_bin_of_the_day_is_never_negative() -> None:
    bins = [0.3, 0.7, 7, 0.3, 0.1, 7, 0.7, 0.7, 7, 0.1, 1, 1]
    bins += [0.3, 7, 0.7, 0.1, 0.3, 0.7, 7, 0.7, 0.1, 0.1, 0.7, 0]
    curve = curve_from_history([bins], bin_length=HOUR, periodic=True)
    assert curve is not None
    midnight = 19_700 * DAY
    shares = [
        curve.between(ALWAYS, midnight - HOUR + a * MINUTE, midnight) for a in range(0, 60, 7)
    ]
    assert min(shares) >= 0


@given(st.lists(volumes, min_size=2, max_size=8), st.data())
def test_a_curve_from_history_knows_only_its_days(
    days: list[list[int]], data: st.DataObject
) -> None:
    today = data.draw(st.integers(1, len(days) - 1))
    before = curve_from_history(days[:today], bin_length=HOUR, periodic=False)
    changed = [list(day) for day in days]
    for later in changed[today:]:
        later[:] = data.draw(volumes)
    after = curve_from_history(changed[:today], bin_length=HOUR, periodic=False)
    assert before == after


@given(st.lists(volumes, min_size=1, max_size=6), st.integers(1, 1000))
def test_scaling_a_day_changes_nothing(days: list[list[int]], factor: int) -> None:
    curve = curve_from_history(days, bin_length=HOUR, periodic=False)
    scaled = [[v * factor for v in days[0]], *days[1:]]
    other = curve_from_history(scaled, bin_length=HOUR, periodic=False)
    assert (curve is None) == (other is None)
    if curve is not None and other is not None:
        assert curve.shares == pytest.approx(other.shares)


def test_one_huge_day_does_not_set_the_curve() -> None:
    usual, earnings = [10.0, 10.0], [0.0, 1_000_000.0]
    curve = curve_from_history([usual] * 9 + [earnings], bin_length=HOUR, periodic=False)
    assert curve is not None
    assert curve.shares == pytest.approx((0.45, 0.55))
    assert curve.source == "history:10d"


def test_days_without_trading_are_left_out() -> None:
    assert curve_from_history([], bin_length=HOUR, periodic=False) is None
    assert curve_from_history([[0, 0]], bin_length=HOUR, periodic=False) is None
    curve = curve_from_history([[0, 0], [1, 3]], bin_length=HOUR, periodic=False)
    assert curve is not None
    assert curve.shares == (0.25, 0.75)
    assert curve.edges == (0, HOUR, 2 * HOUR)


def test_days_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same number of bins"):
        curve_from_history([[1, 2], [1, 2, 3]], bin_length=HOUR, periodic=False)


def test_sessions_that_touch_are_one() -> None:
    first, second = Session(0, 10), Session(10, 20)
    apart = Session(30, 40)
    assert join_adjacent([apart, second, first]) == (Session(0, 20), apart)
    assert join_adjacent([Session(0, 20), Session(5, 8)]) == (Session(0, 20),)


def test_a_session_holds_its_open_but_not_its_close() -> None:
    sessions = (Session(10, 20), Session(30, 40))
    assert session_at(sessions, 9) is None
    assert session_at(sessions, 10) == sessions[0]
    assert session_at(sessions, 20) is None
    assert session_from(sessions, 20) == sessions[1]
    assert session_from(sessions, 19) == sessions[0]
    assert session_from(sessions, 40) is None


def test_every_process_knows_a_curve_by_the_same_hash() -> None:
    """Curves travel between processes with their hash, and texts have another in each."""
    code = (
        "from app.domain.session import Session;"
        "from app.domain.volume import default_curve;"
        f"print(hash(default_curve(Session({FULL.opens_at}, {FULL.closes_at}))))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert hashes == {b"%d\n" % hash(default_curve(FULL))}
