"""At every place a real process is killed; the order goes on, and the books are right."""

import sys
from pathlib import Path

import pytest

from tests.failpoints.campaign import kill_everywhere
from tests.failpoints.places import GROUPS

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(420)]


@pytest.mark.parametrize("group", GROUPS)
async def test_every_place_is_survived(group: str, tmp_path: Path, database_url: str) -> None:
    killed = await kill_everywhere(group, tmp_path, database_url)
    listed = list(GROUPS[group])
    sys.stdout.write(f"killed at {len(killed.first)} of {len(listed)} places of {group}\n")
    assert killed.first == listed
