"""One true history a run, one copy of it a test: the database cloned, the ledger copied."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.machine_story import move
from tests.cli.story import copy_ledger, tell
from tests.databases import Databases, name_of


@dataclass(frozen=True)
class Story:
    """Where a history lies: a database and a ledger."""

    url: str
    ledger: Path


@pytest.fixture(scope="session")
def told(
    databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with databases.fresh("story", template) as url:
        asyncio.run(tell(url, folder))
        yield Story(url, folder / "paper.sqlite3")


@pytest.fixture
def story(databases: Databases, told: Story, tmp_path: Path) -> Iterator[Story]:
    """A copy that a test may break."""
    ledger = tmp_path / "paper.sqlite3"
    copy_ledger(told.ledger, ledger)
    with databases.fresh("broken", name_of(told.url)) as url:
        yield Story(url, ledger)


@pytest.fixture
def machine_story(story: Story, tmp_path: Path) -> Story:
    """The same history at a venue in machine time, with busts, a correction and an adoption."""
    ledger = tmp_path / "venue.sqlite3"
    asyncio.run(move(story.url, story.ledger, ledger))
    return Story(story.url, ledger)
