"""Databases and migrations for the tests of upgrades."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.house.revisions import FOLLOWING, revision_in


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    with databases.fresh("upgrade") as url:
        yield url


@pytest.fixture
def following(tmp_path: Path) -> Path:
    """A folder with the next release's migration, which old workers can live with."""
    return revision_in(tmp_path / "following", "SELECT 1")


@pytest.fixture
def breaking(tmp_path: Path) -> Path:
    """One that they cannot live with."""
    told = f"INSERT INTO meta (key, value) VALUES ('min_revision', '{FOLLOWING}')"
    return revision_in(tmp_path / "breaking", told)
