"""A database for each of the two."""

from collections.abc import Iterator

import pytest

from tests.databases import Databases


@pytest.fixture
def urls(databases: Databases, template: str, database_url: str) -> Iterator[tuple[str, str]]:
    """The front's and the back's."""
    with databases.fresh("back", template) as back:
        yield database_url, back
