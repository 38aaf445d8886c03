"""Trading sessions against what the exchanges published."""

from datetime import UTC, datetime

import pytest

from app.calendars import ExchangeCalendars
from app.domain.instant import DAY, HOUR, MINUTE, Instant, from_datetime
from app.domain.session import Session


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def span(opens: str, closes: str) -> Session:
    return Session(at(opens), at(closes))


@pytest.fixture(scope="module")
def calendars() -> ExchangeCalendars:
    return ExchangeCalendars()


def test_a_half_day_and_a_holiday(calendars: ExchangeCalendars) -> None:
    assert calendars.sessions("XNYS", at("2015-12-23"), at("2015-12-29")) == (
        span("2015-12-23T14:30", "2015-12-23T21:00"),
        span("2015-12-24T14:30", "2015-12-24T18:00"),
        span("2015-12-28T14:30", "2015-12-28T21:00"),
    )


def test_summer_time_moves_the_open(calendars: ExchangeCalendars) -> None:
    assert calendars.sessions("XNYS", at("2024-03-08"), at("2024-03-12")) == (
        span("2024-03-08T14:30", "2024-03-08T21:00"),
        span("2024-03-11T13:30", "2024-03-11T20:00"),
    )


@pytest.mark.parametrize("name", ["XHKG", "XTKS"])
def test_lunch_makes_two_sessions(calendars: ExchangeCalendars, name: str) -> None:
    morning, afternoon = calendars.sessions(name, at("2024-06-03"), at("2024-06-04"))
    assert (morning.length, afternoon.length) == (
        150 * MINUTE,
        {"XHKG": 3, "XTKS": 2.5}[name] * HOUR,
    )
    assert afternoon.opens_at - morning.closes_at == HOUR


def test_a_day_without_an_afternoon(calendars: ExchangeCalendars) -> None:
    assert calendars.sessions("XHKG", at("2024-12-24"), at("2024-12-25")) == (
        span("2024-12-24T01:30", "2024-12-24T04:00"),
    )


def test_round_the_clock_is_one_session_of_the_days_asked_for() -> None:
    early, late = ExchangeCalendars(), ExchangeCalendars()
    late.sessions("24/7", at("1999-01-01"), at("2030-01-01"))
    for calendars in (early, late):
        assert calendars.sessions("24/7", at("2024-02-28T05:00"), at("2024-03-01T01:00")) == (
            span("2024-02-28", "2024-03-02"),
        )
        (day,) = calendars.sessions("24/7", at("2024-12-31"), at("2025-01-01"))
        assert day == span("2024-12-31", "2025-01-01")
        assert day.round_the_clock


def test_sessions_overlap_the_interval_and_do_not_only_touch_it(
    calendars: ExchangeCalendars,
) -> None:
    opens, closes = at("2024-06-03T13:30"), at("2024-06-03T20:00")
    session = (Session(opens, closes),)
    assert calendars.sessions("XNYS", closes - 1, closes) == session
    assert calendars.sessions("XNYS", opens, opens + 1) == session
    assert calendars.sessions("XNYS", closes, closes + HOUR) == ()
    assert calendars.sessions("XNYS", opens - HOUR, opens) == ()


def test_long_ago_and_far_ahead() -> None:
    calendars = ExchangeCalendars()
    assert calendars.sessions("XNYS", at("2024-07-01"), at("2024-07-02"))
    (old,) = calendars.sessions("XNYS", at("1998-01-02"), at("1998-01-03"))
    assert old == span("1998-01-02T14:30", "1998-01-02T21:00")
    (new,) = calendars.sessions("XNYS", at("2035-12-24"), at("2035-12-25"))
    assert new == span("2035-12-24T14:30", "2035-12-24T18:00")
    assert calendars.sessions("XNYS", at("2024-07-04"), at("2024-07-05")) == ()


def test_a_year_has_no_seam_at_its_ends(calendars: ExchangeCalendars) -> None:
    across = calendars.sessions("XNYS", at("2019-12-31"), at("2020-01-03"))
    assert [session.opens_at // DAY * DAY for session in across] == [
        at("2019-12-31"),
        at("2020-01-02"),
    ]


def test_beyond_what_is_recorded_there_are_no_sessions(calendars: ExchangeCalendars) -> None:
    assert calendars.sessions("XHKG", at("2070-06-03"), at("2070-06-10")) == ()
    assert calendars.sessions("XTKS", at("1980-06-03"), at("1980-06-10")) == ()
    assert ExchangeCalendars().sessions("XTKS", at("1980-06-03"), at("1997-02-01")) != ()


def test_an_unknown_name_is_refused(calendars: ExchangeCalendars) -> None:
    with pytest.raises(ValueError, match="'NOPE'"):
        calendars.sessions("NOPE", 0, DAY)
