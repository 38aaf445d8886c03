"""Every place has one name, and every name one place."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from app.failpoints import PLACES, VARIABLE
from tests.failpoints.places import GROUPS

APP = Path(__file__).parents[2] / "app"
REACH = re.compile(r'\breach\("([^"]*)"\)')


def test_every_name_is_reached_by_one_call_and_every_call_is_listed() -> None:
    text = "\n".join(path.read_text() for path in APP.rglob("*.py"))
    assert Counter(REACH.findall(text)) == Counter(PLACES)


def test_every_place_is_killed_in_one_group() -> None:
    assert Counter(place for group in GROUPS.values() for place in group) == Counter(PLACES)


@pytest.mark.parametrize(("told", "ended"), [("here", -9), ("here:2", -9), ("here:3", 0), ("x", 0)])
def test_a_process_ends_at_the_pass_it_was_told(told: str, ended: int) -> None:
    script = "from app.failpoints import reach; reach('here'); reach('here')"
    done = subprocess.run([sys.executable, "-c", script], env={VARIABLE: told}, check=False)
    assert done.returncode == ended
