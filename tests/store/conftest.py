"""Several processes, as far as the database can tell."""

from collections.abc import AsyncIterator

import pytest

from app.store.database import Database


@pytest.fixture
async def pools(database_url: str) -> AsyncIterator[list[Database]]:
    """Three pools on one database, as three processes have them."""
    opened = [await Database.open(database_url, connections=6) for _ in range(3)]
    yield opened
    for database in opened:
        # Not `close`: a test that failed may have left something waiting.
        database.pool.terminate()
