"""One set of calendars for all feeds: building them takes most of the time."""

from collections.abc import AsyncIterator

import pytest

from app.calendars import ExchangeCalendars
from tests.feeds.alpaca_data.running import Running, data_server


@pytest.fixture(scope="session")
def calendars() -> ExchangeCalendars:
    return ExchangeCalendars()


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with data_server() as running:
        yield running
