"""Instants: whole microseconds, exact in both directions, always with a zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.instant import DAY, HOUR, MINUTE, SECOND, from_datetime, rfc3339, seconds
from app.domain.instant import to_datetime as datetime_of

moments = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2199, 12, 31))  # noqa: DTZ001
offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(moments, offsets)
def test_a_moment_comes_back_whatever_its_zone(moment: datetime, zone: timezone) -> None:
    aware = moment.replace(tzinfo=zone)
    instant = from_datetime(aware)
    assert datetime_of(instant) == aware
    assert datetime_of(instant).tzinfo is UTC
    assert from_datetime(datetime.fromisoformat(rfc3339(instant))) == instant


@given(moments, st.integers(-(10**12), 10**12))
def test_a_microsecond_is_one(moment: datetime, more: int) -> None:
    aware = moment.replace(tzinfo=UTC)
    later = aware + timedelta(microseconds=more)
    assert from_datetime(later) - from_datetime(aware) == more


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="carries no zone"):
        from_datetime(datetime(2026, 1, 5, 14, 30))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_767_623_400_000_000, "2026-01-05T14:30:00.000000Z"),
    ],
)
def test_text_always_has_six_decimals_and_a_z(instant: int, text: str) -> None:
    assert rfc3339(instant) == text


def test_lengths() -> None:
    assert DAY == 24 * HOUR == 1440 * MINUTE == 86_400 * SECOND == 86_400_000_000
    assert seconds(1_500_000) == 1.5
