"""One set of calendars for all feeds: building them takes most of the time."""

import pytest

from app.calendars import ExchangeCalendars


@pytest.fixture(scope="session")
def calendars() -> ExchangeCalendars:
    return ExchangeCalendars()
