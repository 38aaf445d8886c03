"""One true history a run, one copy of it a test: the database cloned, the ledger copied."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.machine_story import move
from tests.cli.story import copy_ledger, tell
from tests.conftest import run_sql, with_database


@dataclass(frozen=True)
class Story:
    """Where a history lies: a database and a ledger."""

    url: str
    ledger: Path


@pytest.fixture(scope="session")
def told(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    name, folder = f"story_{uuid.uuid4().hex[:12]}", tmp_path_factory.mktemp("story")
    asyncio.run(run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    asyncio.run(tell(with_database(server_url, name), folder))
    yield Story(name, folder / "paper.sqlite3")
    asyncio.run(run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def story(server_url: str, told: Story, tmp_path: Path) -> Iterator[Story]:
    """A copy that a test may break."""
    name, ledger = f"broken_{uuid.uuid4().hex[:12]}", tmp_path / "paper.sqlite3"
    copy_ledger(told.ledger, ledger)
    asyncio.run(run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {told.url}"))
    yield Story(with_database(server_url, name), ledger)
    asyncio.run(run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def machine_story(story: Story, tmp_path: Path) -> Story:
    """The same history at a venue in machine time, with busts, a correction and an adoption."""
    ledger = tmp_path / "venue.sqlite3"
    asyncio.run(move(story.url, story.ledger, ledger))
    return Story(story.url, ledger)
