"""Databases and migrations for the tests of upgrades."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import run_sql, with_database
from tests.house.revisions import revision_in


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    name = f"upgrade_{uuid.uuid4().hex[:12]}"
    asyncio.run(run_sql(server_url, f"CREATE DATABASE {name}"))
    yield with_database(server_url, name)
    asyncio.run(run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def following(tmp_path: Path) -> Path:
    """A folder with the next release's migration, which old workers can live with."""
    return revision_in(tmp_path / "following", "SELECT 1")


@pytest.fixture
def breaking(tmp_path: Path) -> Path:
    """One that they cannot live with."""
    told = "INSERT INTO meta (key, value) VALUES ('min_revision', '0003')"
    return revision_in(tmp_path / "breaking", told)
