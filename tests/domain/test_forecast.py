"""The curve that is bent as volume arrives: what it must be, whatever the days were."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.forecast import (
    ADAPT_UNTIL,
    MAX_DEVIATION,
    adaptive_weights,
    forecast,
    session_bins,
)
from app.domain.quantity import split
from app.domain.session import Session
from app.domain.volume import VolumeCurve, curve_from_history
from tests.domain.curves import (
    BIN,
    BINS,
    FULL,
    Slots,
    curves,
    days,
    even,
    observations,
    sessions,
    static,
    windows,
)


@given(curves(), sessions, windows(), observations, st.integers(1, 10**6))
def test_weights_spread_the_whole_order_and_never_take_back(
    curve: VolumeCurve, session: Session, slots: Slots, observed: list[float | None], qty: int
) -> None:
    weights = adaptive_weights(curve, session, slots, observed)
    assert len(weights) == len(slots)
    assert min(weights) >= 0
    reached = list(accumulate(weights))
    assert reached[-1] == pytest.approx(1, abs=1e-12)
    assert weights[-1] == 1.0 - (reached[-2] if len(reached) > 1 else 0.0)
    sizes = split(Decimal(qty), weights, lot=Decimal(1), minimum=Decimal(0))
    assert sum(sizes) == qty
    assert min(sizes) >= 0


@given(curves(), sessions, windows(), observations)
def test_the_schedule_stays_near_the_static_curve(
    curve: VolumeCurve, session: Session, slots: Slots, observed: list[float | None]
) -> None:
    weights = adaptive_weights(curve, session, slots, observed)
    usual = static(curve, session, slots)
    for reached, expected in zip(accumulate(weights), accumulate(usual), strict=True):
        assert abs(reached - expected) <= MAX_DEVIATION + 1e-9


@given(curves(), sessions, windows(), observations)
def test_from_most_of_the_volume_on_the_rest_is_static(
    curve: VolumeCurve, session: Session, slots: Slots, observed: list[float | None]
) -> None:
    weights = adaptive_weights(curve, session, slots, observed)
    usual = static(curve, session, slots)
    done = behind = 0.0
    for k, (weight, share) in enumerate(zip(weights[:-1], usual[:-1], strict=True)):
        left = sum(usual[k:])
        if behind >= ADAPT_UNTIL + 1e-12 and left > 1e-9:
            assert weight == pytest.approx(share / left * (1 - done), abs=1e-9)
        behind += share
        done += weight


@given(curves(), sessions, windows(), st.lists(st.none(), max_size=30))
def test_nothing_known_leaves_the_static_curve(
    curve: VolumeCurve, session: Session, slots: Slots, observed: list[None]
) -> None:
    usual = static(curve, session, slots)
    assert adaptive_weights(curve, session, slots, observed) == pytest.approx(usual, abs=1e-9)
    left = forecast(curve, observed)
    if left and sum(curve.shares[len(observed) :]) > 0:
        rest = curve.shares[len(observed) :]
        assert left == pytest.approx([share / sum(rest) for share in rest], abs=1e-9)


@given(curves(), sessions, windows(), st.integers(0, 30), st.floats(0.01, 100))
def test_what_was_expected_changes_nothing(
    curve: VolumeCurve, session: Session, slots: Slots, count: int, factor: float
) -> None:
    assert curve.dynamics is not None
    # Without a scale, any multiple of the curve is what was expected.
    level = factor if curve.dynamics.level is None else curve.dynamics.level
    bins = list(pairwise(session_bins(curve, session)))[:count]
    expected = [level * curve.between(session, a, b) for a, b in bins]
    usual = static(curve, session, slots)
    assert adaptive_weights(curve, session, slots, expected) == pytest.approx(usual, abs=1e-9)


@given(curves(), sessions, windows(), observations, st.data())
def test_the_future_changes_nothing_before_it(
    curve: VolumeCurve,
    session: Session,
    slots: Slots,
    observed: list[float | None],
    data: st.DataObject,
) -> None:
    """Bitwise: whatever happens from bin `today` on, slots that begin no later are as they were."""
    today = data.draw(st.integers(0, len(observed)))
    other = [*observed[:today], *data.draw(observations)]
    edges = session_bins(curve, session)
    # Bin `today` is known from its end on.
    known_at = edges[min(today + 1, len(edges) - 1)]
    fixed = [k for k, (start, _) in enumerate(slots) if start < known_at]
    one, two, three = (
        adaptive_weights(curve, session, slots, seen)
        for seen in (observed, other, observed[:today])
    )
    assert [one[k] for k in fixed] == [two[k] for k in fixed] == [three[k] for k in fixed]


@given(st.lists(days, min_size=2, max_size=6), observations, st.data())
def test_a_day_depends_on_earlier_days_only(
    history: list[list[float]], observed: list[float | None], data: st.DataObject
) -> None:
    today = data.draw(st.integers(1, len(history) - 1))
    changed = [*history[:today], *(data.draw(days) for _ in history[today:])]
    one = curve_from_history(history[:today], bin_length=BIN, periodic=False)
    two = curve_from_history(changed[:today], bin_length=BIN, periodic=False)
    assert one is not None
    assert two is not None
    assert one == two
    assert forecast(one, observed) == forecast(two, observed)


@given(st.lists(days, min_size=1, max_size=4), windows(), observations, st.sampled_from([2, 0.25]))
def test_the_unit_of_volume_does_not_matter(
    history: list[list[float]], slots: Slots, observed: list[float | None], factor: float
) -> None:
    """Exact for powers of two but for the logarithms."""

    def scaled(row: Sequence[float | None]) -> list[float | None]:
        return [None if v is None else v * factor for v in row]

    one = curve_from_history(history, bin_length=BIN, periodic=False)
    two = curve_from_history(
        [[v * factor for v in day] for day in history], bin_length=BIN, periodic=False
    )
    assert one is not None
    assert two is not None
    expected = adaptive_weights(one, FULL, slots, observed)
    assert adaptive_weights(two, FULL, slots, scaled(observed)) == pytest.approx(expected, abs=1e-6)
    assert forecast(two, scaled(observed)) == pytest.approx(forecast(one, observed), abs=1e-6)


@given(curves(scaled=False), windows(), observations, st.sampled_from([2, 0.25]))
def test_without_a_level_the_unit_of_the_day_does_not_matter(
    curve: VolumeCurve, slots: Slots, observed: list[float | None], factor: float
) -> None:
    other = [None if v is None else v * factor for v in observed]
    expected = adaptive_weights(curve, FULL, slots, observed)
    assert adaptive_weights(curve, FULL, slots, other) == pytest.approx(expected, abs=1e-6)


@given(curves(), observations)
def test_a_forecast_is_the_whole_of_what_remains(
    curve: VolumeCurve, observed: list[float | None]
) -> None:
    left = forecast(curve, observed)
    assert len(left) == max(BINS - len(observed), 0)
    assert all(share >= 0 for share in left)
    if left:
        assert sum(left) == pytest.approx(1)


@given(curves(), observations)
def test_a_window_of_the_whole_session_follows_the_forecast(
    curve: VolumeCurve, observed: list[float | None]
) -> None:
    """Slots that are bins take, guards apart, the first share of each forecast of what is left."""
    weights = adaptive_weights(curve, FULL, even(FULL), observed)
    done = behind = 0.0
    for k, weight in enumerate(weights[:-1]):
        behind += curve.shares[k]
        wanted = forecast(curve, observed[:k])[0] if len(observed) >= k else None
        if wanted is not None and abs(behind - ADAPT_UNTIL) > 1e-9:
            reached = done + wanted * (1 - done)
            bounded = min(max(reached, behind - MAX_DEVIATION), behind + MAX_DEVIATION)
            if behind - curve.shares[k] < 1 - 1e-6:
                assert done + weight == pytest.approx(bounded, abs=1e-6)
        done += weight
